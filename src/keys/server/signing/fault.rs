//! Why a signature does not count, each with the sentence that callers and owners read.

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Malformed,
    OtherKey,
    OtherAlgorithm,
    /// Something that must be signed is not.
    Uncovered(&'static str),
    /// Something that is signed is not there, or of a kind that is not read here.
    Absent,
    NoTime,
    TooOld,
    Ahead,
    Expired,
    NoNonce,
    Digest,
    Wrong,
    Replayed,
    /// The secret can't be opened: the server has another master key than the one that sealed it.
    Sealed,
}

impl Fault {
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "Its signature can't be read: Signature-Input and Signature are dictionaries with the same name (RFC 9421 §4).",
            Self::OtherKey => "No signature names this key: keyid must be the id of the key.",
            Self::OtherAlgorithm => "It is signed with another algorithm than the key's.",
            Self::Uncovered("@method") => "Its signature does not cover @method.",
            Self::Uncovered("@path") => "Its signature covers neither @path nor @target-uri nor @request-target.",
            Self::Uncovered("@query") => "Its address has a query that the signature does not cover: add @query.",
            Self::Uncovered(_) => "Its signature does not cover content-digest.",
            Self::Absent => "Its signature covers something that did not reach the gate, or that is not read here.",
            Self::NoTime => "Its signature does not say when it was made: created is missing.",
            Self::TooOld => "Its signature is older than five minutes.",
            Self::Ahead => "Its signature was made more than a minute ahead of this server's clock.",
            Self::Expired => "Its signature has expired.",
            Self::NoNonce => "Its signature has no nonce of 16 to 128 characters.",
            Self::Digest => "Its Content-Digest is not that of the body (RFC 9530). Where the body is known here, it needs a sha-256.",
            Self::Wrong => "Its signature is wrong.",
            Self::Replayed => "Its signature was used before: each nonce counts once.",
            Self::Sealed => "Its signature can't be checked here: the signing secret does not open with this server's master key.",
        }
    }
}
