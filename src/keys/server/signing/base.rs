//! The signature base (RFC 9421 §2.5): what of a message is signed, line by line.
//!
//! Read are the fields of the message by their lower-case names, and of the derived components (§2.2) those of a request but
//! `@query-param`. Component parameters (`sf`, `key`, `bs`, `req`, `tr`) are not read: a signature that needs them does not count.

use super::{
    fault::Fault,
    fields::{Bare, Item, Parameters, list},
};
use std::fmt::Write;

/// A request as its client sent it.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    pub method: &'a str,
    /// `https`
    pub scheme: &'a str,
    /// Host, and the port if it is not that of the scheme.
    pub authority: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The value of a field by its lower-case name; of a field that stands twice both values, with a comma between.
    pub field: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Whether it may have a body: then its digest must be signed.
    pub has_body: bool,
    /// The SHA-256 of the body, where it is known.
    pub body_sha256: Option<[u8; 32]>,
}

impl<'a> Message<'a> {
    pub fn path(&self) -> &'a str {
        match self.target.split_once('?').map_or(self.target, |(path, _)| path) {
            "" => "/",
            path => path,
        }
    }

    pub fn query(&self) -> Option<&'a str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Lower case, without the port that the scheme has anyway (§2.2.3).
    fn authority(&self) -> String {
        let authority = self.authority.to_ascii_lowercase();
        let usual = if self.scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
        authority.strip_suffix(usual).map(str::to_owned).unwrap_or(authority)
    }

    fn value(&self, component: &str) -> Result<String, Fault> {
        let scheme = || self.scheme.to_ascii_lowercase();
        let value = match component {
            "@method" => self.method.to_owned(),
            "@scheme" => scheme(),
            "@authority" => self.authority(),
            "@target-uri" => format!("{}://{}{}", scheme(), self.authority(), self.target),
            "@request-target" => self.target.to_owned(),
            "@path" => self.path().to_owned(),
            "@query" => format!("?{}", self.query().unwrap_or_default()),
            // Upper case would be another spelling of the same field.
            name if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b)) => {
                (self.field)(name).ok_or(Fault::Absent)?.trim().to_owned()
            }
            _ => return Err(Fault::Absent),
        };
        // A line break in a value could stand for a line of the base.
        if value.is_ascii() && !value.bytes().any(|b| b.is_ascii_control() && b != b'\t') { Ok(value) } else { Err(Fault::Absent) }
    }
}

/// The name of a component: a text without parameters.
pub fn name_of(component: &Item) -> Result<&str, Fault> {
    match &component.value {
        Bare::Text(name) if component.parameters.0.is_empty() => Ok(name),
        _ => Err(Fault::Absent),
    }
}

/// What is signed. Each component stands once.
pub fn signature_base(message: &Message<'_>, components: &[Item], parameters: &Parameters) -> Result<String, Fault> {
    let mut base = String::new();
    for (n, component) in components.iter().enumerate() {
        if components[..n].contains(component) {
            return Err(Fault::Malformed);
        }
        // Writing into a String does not fail.
        let _ = writeln!(base, "{component}: {}", message.value(name_of(component)?)?);
    }
    let _ = write!(base, "\"@signature-params\": {}", list(components, parameters));
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str) -> Item {
        Item { value: Bare::Text(name.to_owned()), parameters: Parameters::default() }
    }

    fn base(target: &str, authority: &str, components: &[&str]) -> Result<String, Fault> {
        let field = |name: &str| (name == "x-trace").then(|| " a, b ".to_owned()).or_else(|| (name == "x-bad").then(|| "a\n\"@path\": /".to_owned()));
        let message = Message { method: "GET", scheme: "HTTPS", authority, target, field: &field, has_body: false, body_sha256: None };
        signature_base(&message, &components.iter().map(|name| item(name)).collect::<Vec<_>>(), &Parameters::default())
    }

    #[test]
    fn derived_components_are_those_of_the_standard() {
        // The values of RFC 9421 §2.2.
        let all = ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "x-trace"];
        let expected = "\"@method\": GET\n\"@target-uri\": https://www.example.com/path?param=value\n\"@authority\": www.example.com\n\"@scheme\": https\n\
             \"@request-target\": /path?param=value\n\"@path\": /path\n\"@query\": ?param=value\n\"x-trace\": a, b\n\
             \"@signature-params\": (\"@method\" \"@target-uri\" \"@authority\" \"@scheme\" \"@request-target\" \"@path\" \"@query\" \"x-trace\")";
        assert_eq!(base("/path?param=value", "WWW.example.com:443", &all).as_deref(), Ok(expected));
        assert_eq!(base("", "h", &["@path", "@query"]).as_deref(), Ok("\"@path\": /\n\"@query\": ?\n\"@signature-params\": (\"@path\" \"@query\")"));
    }

    #[test]
    fn what_is_not_there_or_not_read_does_not_count() {
        for component in ["x-other", "X-Trace", "@status", "@query-param", "", "x-bad"] {
            assert_eq!(base("/", "h", &[component]), Err(Fault::Absent), "{component}");
        }
        assert_eq!(base("/", "h", &["@path", "@path"]), Err(Fault::Malformed));
        let with = Item { value: Bare::Text("x-trace".into()), parameters: Parameters(vec![("sf".into(), Bare::Boolean(true))]) };
        assert_eq!(name_of(&with), Err(Fault::Absent));
    }
}
