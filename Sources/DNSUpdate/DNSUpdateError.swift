/// Why a zone was not changed or read, or why the outcome is unknown.
///
/// `unreachable`, `timedOut`, `closed` and all response errors except a refusal may occur after the server made the
/// change. Retrying is safe: every change is idempotent.
package enum DNSUpdateError: Error, Equatable, Sendable {
    // Detected before anything was sent.
    case outsideZone(DNSName, zone: DNSName)
    case tooLarge

    // No response. `server` is as configured, with its port.
    case unreachable(server: String, reason: String)
    case timedOut(server: String)
    case closed(server: String)

    // A response that cannot be trusted.
    case malformedResponse(DNSResponseError)
    case idMismatch
    case unsignedResponse
    case keyMismatch
    case badSignature
    /// Positive when the server's clock is ahead.
    case clockSkew(seconds: Int64)

    // The server refused.
    case tsigError(TSIGError)
    case refused(ResponseCode)

    // The existing records cannot be used.
    case notAuthoritative(DNSName)
    case alias(DNSName)
}

extension DNSUpdateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .outsideZone(let name, let zone):
            "\(name) is not in the zone \(zone). Correct the zone in the configuration, or the name."
        case .tooLarge:
            "The changes must fit into one DNS message of 64 KiB. Make fewer changes at a time."
        case .unreachable(let server, let reason):
            "The name server \(server) cannot be reached over TCP: \(reason). Check its address and its firewall."
        case .timedOut(let server):
            "The name server \(server) did not respond in time. Check its address, its firewall and its load."
        case .closed(let server):
            "The name server \(server) closed the connection before its response was complete. Check its log."
        case .malformedResponse(let error):
            "The response is not a valid DNS response: \(error). Check that a name server listens on the configured port."
        case .idMismatch:
            "The response belongs to another request. Check the network between this machine and the name server."
        case .unsignedResponse:
            "The response is not signed, so it cannot be trusted. Check that the server has the TSIG key."
        case .keyMismatch:
            "The response is signed with another key than the request. Check the TSIG keys of the server."
        case .badSignature:
            "The signature of the response is invalid: the response was altered, or did not come from the server."
        case .clockSkew(let seconds):
            "The server's clock differs from this machine's by \(seconds) s. Set the clocks of both machines."
        case .tsigError(let error):
            error.description
        case .refused(let code):
            code.description
        case .notAuthoritative(let name):
            "The server is not authoritative for \(name). Use the zone's primary server, not a resolver."
        case .alias(let name):
            "\(name) has records other than addresses, such as an alias. Remove them: failover cannot work with them."
        }
    }
}

extension TSIGError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badSignature:
            "The server rejects the request's signature (BADSIG). Configure the same TSIG secret on both sides."
        case .unknownKey:
            """
            The server rejects the TSIG key (BADKEY). Check that it has a key of this name and algorithm, and that its \
            access list allows the key to update this zone.
            """
        case .badTime:
            "The server's clock and this machine's differ too much (BADTIME). Set the clocks of both machines."
        case .badTruncation:
            "The server rejects the length of the signature (BADTRUNC). Use another algorithm for the TSIG key."
        }
    }
}

extension ResponseCode: CustomStringConvertible {
    package var description: String {
        switch self {
        case .formatError:
            "The server cannot parse the message (FORMERR). Check that it supports dynamic updates."
        case .serverFailure:
            "The server failed (SERVFAIL). Check its log and its disk space."
        case .noSuchName:
            "The server reports that a name does not exist (NXDOMAIN), which is unexpected for an update. Check its log."
        case .notImplemented:
            "The server does not support dynamic updates (NOTIMP). Use the zone's primary server or other server software."
        case .refused:
            "The server refuses the update (REFUSED). Check that it has the zone, and allow the TSIG key to update it."
        case .notAuthorised:
            """
            The server is not authoritative for this zone, or does not allow the update (NOTAUTH). Check the zone's name, \
            that the server is its primary, and its access list.
            """
        case .notInZone:
            "The server reports that a name is not in the zone (NOTZONE). Part of the zone may be delegated."
        case .other(let code):
            "The server refuses the update with code \(code). Check its log."
        }
    }
}

extension DNSResponseError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "it is truncated"
        case .truncationFlag: "the server marked it as truncated, which is invalid over TCP"
        case .notAResponse: "it is not a response to the request"
        case .name: "it has a malformed name"
        case .signatureRecord: "its signature is malformed or not the last record"
        case .trailingBytes: "it has trailing bytes"
        }
    }
}
