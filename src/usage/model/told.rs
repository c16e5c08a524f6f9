//! What a program was answered whose call did not pass.

use serde::{Deserialize, Serialize};

/// The answer to a call that came through a proxy, as far as a sample tells it. A service that asks gets the code, and answers as it likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub status: u16,
    /// "Too Many Requests".
    pub phrase: String,
    /// Name and value of the fields that are known; not all that were sent.
    pub fields: Vec<(String, String)>,
    /// Some of them were worked out from the limit, which is what it was.
    pub is_derived: bool,
}

impl Told {
    /// As HTTP writes it.
    pub fn lines(&self) -> String {
        let fields = self.fields.iter().map(|(name, value)| format!("\n{name}: {value}"));
        std::iter::once(format!("{} {}", self.status, self.phrase)).chain(fields).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_as_http_writes_it() {
        let fields = vec![("X-Auth-Code".to_owned(), "RATE_LIMITED".to_owned()), ("Retry-After".to_owned(), "2".to_owned())];
        let told = Told { status: 429, phrase: "Too Many Requests".to_owned(), fields, is_derived: true };
        assert_eq!(told.lines(), "429 Too Many Requests\nX-Auth-Code: RATE_LIMITED\nRetry-After: 2");
    }
}
