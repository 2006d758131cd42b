/// Dates of HTTP.
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Parses IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT", the only format that senders may use (RFC 9110
    /// section 5.6.7), to Unix seconds. Nil for anything else.
    package static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
            let day = Int64(words[1]), (1...31).contains(day), let year = Int64(words[3]), (1970...9999).contains(year),
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int64($0) }
        guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        // In years that start in March the leap day comes last, and the days before each month follow a linear formula.
        let place = (Int64(month) + 10) % 12
        let march = month < 2 ? year - 1 : year
        let leapDays = march / 4 - march / 100 + march / 400
        let days = 365 * march + leapDays + (153 * place + 2) / 5 + day - 1 - 719_468
        return days * 86_400 + time[0] * 3_600 + time[1] * 60 + time[2]
    }
}
