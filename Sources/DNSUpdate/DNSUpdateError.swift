/// Why a zone was not changed or read, or why we cannot know that it was.
///
/// `unreachable`, `timedOut` and `closed` may come after the server has done its work; so may all that is wrong with an
/// answer, except a refusal. Asking again is safe: every change is the same done twice.
package enum DNSUpdateError: Error, Equatable, Sendable {
    // Found before anything was sent.
    case outsideZone(DNSName, zone: DNSName)
    case tooLarge

    // No answer. `server` is as configured, with its port.
    case unreachable(server: String, reason: String)
    case timedOut(server: String)
    case closed(server: String)

    // An answer that proves nothing.
    case malformedAnswer(AnswerFault)
    case otherAnswer
    case unsignedAnswer
    case otherKey
    case forgedAnswer
    /// Positive when the server's clock is ahead.
    case staleAnswer(seconds: Int64)

    // The server does not want to.
    case keyRefused(KeyRefusal)
    case refused(ResponseCode)

    // What stands there cannot be used.
    case notAuthoritative(DNSName)
    case alias(DNSName)
}

extension DNSUpdateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .outsideZone(let name, let zone):
            "\(name) is not in the zone \(zone). Correct the zone in the configuration, or the name."
        case .tooLarge:
            "The changes do not fit into one DNS message of 64 KiB. Make fewer of them at a time."
        case .unreachable(let server, let reason):
            "The name server \(server) cannot be reached over TCP: \(reason). Check its address and its firewall."
        case .timedOut(let server):
            "The name server \(server) did not answer in time. Check its address, its firewall and its load."
        case .closed(let server):
            "The name server \(server) closed the connection without a whole answer. Look into its log."
        case .malformedAnswer(let fault):
            "What came back is not a DNS answer: \(fault). Check that a name server listens on the configured port."
        case .otherAnswer:
            "The answer belongs to another question. Check what stands between here and the name server."
        case .unsignedAnswer:
            "The server did not sign its answer, so anybody can have written it. Check that it has the TSIG key."
        case .otherKey:
            "The answer is signed with another key than the question. Check the TSIG keys of the server."
        case .forgedAnswer:
            "The signature of the answer is wrong: it was altered on its way, or not written by the server."
        case .staleAnswer(let seconds):
            "The answer's clock differs from ours by \(seconds) s. Set the clocks of both machines."
        case .keyRefused(let refusal):
            refusal.description
        case .refused(let code):
            code.description
        case .notAuthoritative(let name):
            "The server does not have the zone of \(name). Name the zone's primary server, not a resolver."
        case .alias(let name):
            "\(name) has other records than addresses, an alias perhaps. Remove them by hand: a failover would not work."
        }
    }
}

extension KeyRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badSignature:
            "The server refuses our signature (BADSIG). The TSIG secret here and there are not the same."
        case .unknownKey:
            """
            The server does not take our TSIG key (BADKEY). Check that it has a key of this name and algorithm, and that \
            its access list lets the key update this zone.
            """
        case .badTime:
            "The server's clock and ours are too far apart (BADTIME). Set the clocks of both machines."
        case .badTruncation:
            "The server refuses the length of our signature (BADTRUNC). Use another algorithm for the TSIG key."
        }
    }
}

extension ResponseCode: CustomStringConvertible {
    package var description: String {
        switch self {
        case .formatError:
            "The server does not understand the message (FORMERR). Check that it takes dynamic updates."
        case .serverFailure:
            "The server has failed (SERVFAIL). Look into its log; its disk may be full."
        case .noSuchName:
            "The server says that a name does not exist (NXDOMAIN), which no update of ours asks. Look into its log."
        case .notImplemented:
            "The server has no dynamic updates (NOTIMP). Use the zone's primary server, or another kind of server."
        case .refused:
            "The server refuses (REFUSED). Check that it has the zone, and allow the TSIG key to update it."
        case .notAuthorised:
            """
            The server does not answer for this zone, or does not let us change it (NOTAUTH). Check the zone's name, that \
            the server is its primary, and its access list.
            """
        case .notInZone:
            "The server says that a name is not in the zone (NOTZONE). It may have delegated a part of the zone."
        case .other(let code):
            "The server refuses with code \(code). Look into its log."
        }
    }
}

extension AnswerFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cutShort: "it ends too early"
        case .cutByServer: "the server marked it as truncated, which it has no reason to do over TCP"
        case .notAnAnswer: "it is not the answer to what was asked"
        case .name: "it has a malformed name"
        case .signatureRecord: "its signature is malformed or not at its end"
        case .trailingBytes: "there is more behind its end"
        }
    }
}
