/// Does something to each, so many at a time, and gives the answers in the order of the questions.
package func concurrently<Item: Sendable, Answer: Sendable>(
    _ items: [Item], most: Int, _ body: @escaping @Sendable (Item) async throws -> Answer
) async rethrows -> [Answer] {
    try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
        var answers = [Answer?](repeating: nil, count: items.count)
        var next = 0
        while next < min(most, items.count) {
            let index = next
            group.addTask { (index, try await body(items[index])) }
            next += 1
        }
        while let (index, answer) = try await group.next() {
            answers[index] = answer
            if next < items.count {
                let index = next
                group.addTask { (index, try await body(items[index])) }
                next += 1
            }
        }
        return answers.compactMap(\.self)
    }
}
