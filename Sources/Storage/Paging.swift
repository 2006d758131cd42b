import SQLite
import Vault

extension Store {
    /// Reads the items of rows until the byte limit is reached.
    static func page<Row, Item>(
        _ rows: [Row], _ limit: PageLimit, read: (Row) throws -> Item?, size: (Item) -> Int
    ) throws -> Page<Item> {
        var (items, bytes): ([Item], Int) = ([], 0)
        for row in rows {
            guard bytes < limit.bytes else { return Page(items: items, hasMore: true) }
            guard let item = try read(row) else { continue }
            bytes += size(item)
            items.append(item)
        }
        return Page(items: items, hasMore: rows.count == limit.rows)
    }
}

/// Collects a page from the rows of a scan until the byte limit is reached.
struct PageScan<Item: Sendable> {
    private let limit: PageLimit
    private var items: [Item] = []
    private var bytes = 0

    init(_ limit: PageLimit) {
        self.limit = limit
    }

    private var isFull: Bool { bytes >= limit.bytes }

    /// Adds an item of `size` bytes.
    mutating func add(_ item: Item, size: Int) -> Connection.Continuation {
        items.append(item)
        bytes += size
        return isFull ? .stop : .next
    }

    var finished: Page<Item> { Page(items: items, hasMore: isFull || items.count == limit.rows) }
}
