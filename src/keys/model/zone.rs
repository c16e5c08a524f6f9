//! The name of a time zone, as the IANA database has it.

use std::fmt;

/// At most 32 bytes, as the longest name has (`America/Argentina/ComodRivadavia`), kept in place, so that a window can be copied. Whether
/// there is such a zone knows the server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Zone([u8; Self::BYTES]);

impl Zone {
    const BYTES: usize = 32;

    /// None for what can't be a name.
    pub fn new(name: &str) -> Option<Self> {
        let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
        if name.is_empty() || !name.bytes().all(is_fine) {
            return None;
        }
        let mut bytes = [0; Self::BYTES];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self(bytes))
    }

    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(Self::BYTES);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_whole() {
        for name in ["UTC", "Europe/Stockholm", "Etc/GMT+5", "America/Argentina/ComodRivadavia", "America/Port-au-Prince"] {
            assert_eq!(Zone::new(name).map(|zone| zone.to_string()).as_deref(), Some(name));
        }
        for wrong in ["", "Europe Stockholm", "Europe/Sto@", "Zürich", "America/Argentina/ComodRivadavia2"] {
            assert_eq!(Zone::new(wrong), None, "{wrong}");
        }
    }
}
