//! Who did something, as a person says it. Histories keep the name of an account, or a word where none did it: `cli`, `system`.

use serde::{Deserialize, Serialize};

/// Who did it, in a history that knows accounts apart: whatever a person is called, they are said by their name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actor {
    /// The name at that time, or one of the words.
    pub name: String,
    pub is_account: bool,
}

impl Actor {
    /// At the beginning of a sentence, as `actor_words`.
    pub fn words(&self) -> &str {
        if self.is_account { &self.name } else { actor_words(&self.name) }
    }

    /// Behind what was done or when, as `by_words`.
    pub fn by(&self) -> String {
        if self.is_account { format!("by {}", self.name) } else { by_words(&self.name) }
    }
}

/// At the beginning of a sentence: "An operator on the command line created the key".
pub fn actor_words(name: &str) -> &str {
    match name {
        "cli" => "An operator on the command line",
        "system" => "Tollgate",
        "secret scanning" => "Secret scanning",
        name => name,
    }
}

/// Behind what was done or when: "by Mara", "on the command line". Nothing where nobody is known.
pub fn by_words(name: &str) -> String {
    match name {
        "" => String::new(),
        "cli" => "on the command line".to_owned(),
        "system" => "by Tollgate".to_owned(),
        name => format!("by {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_it_reads_as_a_person_says_it() {
        assert_eq!(["cli", "system", "Mara"].map(actor_words), ["An operator on the command line", "Tollgate", "Mara"]);
        assert_eq!(["cli", "system", "Mara", ""].map(by_words), ["on the command line", "by Tollgate", "by Mara", ""]);
    }

    #[test]
    fn whoever_is_called_as_the_command_line_is_said_by_that_name() {
        let said = |name: &str, is_account| {
            let actor = Actor { name: name.to_owned(), is_account };
            (actor.words().to_owned(), actor.by())
        };
        assert_eq!(said("cli", true), ("cli".to_owned(), "by cli".to_owned()));
        assert_eq!(said("cli", false), ("An operator on the command line".to_owned(), "on the command line".to_owned()));
        assert_eq!((said("system", true).1, said("system", false).1), ("by system".to_owned(), "by Tollgate".to_owned()));
        assert_eq!(said("", false).1, "");
    }
}
