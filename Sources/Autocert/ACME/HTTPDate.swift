import FoundationEssentials

/// Parses an HTTP date in IMF-fixdate format, the only one that senders may use (RFC 9110 section 5.6.7).
func httpDate(_ text: String) -> Date? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
        let day = Int(words[1]), (1...31).contains(day), let year = Int(words[3]), (1_970...9_999).contains(year),
        let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            .firstIndex(of: String(words[2]))
    else { return nil }
    let time = words[4].split(separator: ":").compactMap { Int($0) }
    guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0...60).contains(time[2]),
        let zone = TimeZone(secondsFromGMT: 0)
    else { return nil }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    return calendar.date(
        from: DateComponents(
            year: year, month: month + 1, day: day, hour: time[0], minute: time[1], second: time[2]))
}
