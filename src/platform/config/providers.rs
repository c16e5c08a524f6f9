//! `[[sign_in.providers]]`: whose sign-ins count here (OpenID Connect). Each is a table of the config file; no variable sets one, for
//! a list has no name in the environment. Secrets may come from files. What is wrong is told with its line, as everywhere.

use super::{
    settings::Kind,
    source::{Origin, Problem, as_text, nearest},
};
use crate::{
    platform::fetch::{Reach, is_allowed},
    values::Slug,
};
use secrecy::SecretString;
use std::{collections::BTreeMap, ops::Range, path::Path};
use toml::de::{DeTable, DeValue};
use url::Url;

/// The section in which they stand.
pub const SECTION: &str = "sign_in";

/// One provider, as its operator and ours agreed.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name in addresses: `/sign-in/with/{slug}`.
    pub slug: Slug,
    /// Its name on buttons.
    pub name: String,
    /// As the provider writes it: ID tokens are compared with it letter by letter (OpenID Connect Core 1.0 §3.1.3.7).
    pub issuer: String,
    pub client_id: String,
    /// None: a public client; PKCE alone protects the code.
    pub client_secret: Option<SecretString>,
    /// Asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Somebody who is new may make an account by it, if sign-up is open to them at all.
    pub allow_sign_up: bool,
    /// Its `email_verified` counts as if we had mailed a link ourselves.
    pub trusts_email: bool,
    /// Who comes by it is not asked for a second factor of ours.
    pub replaces_second_factor: bool,
    /// It may stand in a private network, and speak plain http there.
    pub allow_private_network: bool,
}

impl Provider {
    pub fn reach(&self) -> Reach {
        if self.allow_private_network { Reach::PrivateToo } else { Reach::Public }
    }
}

/// What can be set of a provider: the key, how it is written, and what is allowed as the end of "must be …".
const KEYS: &[(&str, Kind, &str)] = &[
    ("slug", Kind::Text, "a letter, then at most 39 lower-case letters, digits and hyphens"),
    ("name", Kind::Text, "1 to 40 characters"),
    ("issuer", Kind::Text, "https:// and what the provider calls its issuer, without query and fragment; http:// only with allow_private_network"),
    ("client_id", Kind::Text, "1 to 300 characters"),
    ("client_secret", Kind::Text, "what the provider gave you"),
    ("client_secret_file", Kind::Text, "a file that can be read"),
    ("scopes", Kind::List, "a list of words, such as [\"email\", \"profile\"]"),
    ("allow_sign_up", Kind::Switch, "true or false"),
    ("trusts_email", Kind::Switch, "true or false"),
    ("replaces_second_factor", Kind::Switch, "true or false"),
    ("allow_private_network", Kind::Switch, "true or false"),
];

/// How an example stands in the template of the config file.
pub(super) const TEMPLATE: &str = r#"
# Sign-in with others, by OpenID Connect: one such table for each provider, in the order of their buttons. There it is registered with the
# address /sign-in/with/SLUG/callback under server.public_url.
# [[sign_in.providers]]
# slug = "example"
# name = "Example"
# issuer = "https://accounts.example.com"
# client_id = "tollgate"
# client_secret_file = "/run/secrets/example"
# scopes = ["email", "profile"]
# allow_sign_up = true
# trusts_email = false
# replaces_second_factor = false
# allow_private_network = false
"#;

/// The providers of the section, and what is wrong in it. `at` says where a place of the file is; `dir` is where files are looked for.
pub(super) fn read(section: &DeTable<'_>, dir: &Path, at: &dyn Fn(Range<usize>) -> Origin) -> (Vec<Provider>, Vec<Problem>) {
    let (mut providers, mut problems) = (Vec::<Provider>::new(), Vec::new());
    for (key, value) in section {
        let items = match value.get_ref() {
            DeValue::Array(items) if key.get_ref() == "providers" => items,
            _ => {
                problems.push(Problem::at(at(key.span()), format!("{SECTION}.{} is not a setting. Only [[{SECTION}.providers]] stands there.", key.get_ref())));
                continue;
            }
        };
        for item in items {
            let place = at(item.span());
            let DeValue::Table(table) = item.get_ref() else {
                problems.push(Problem::at(place, format!("{SECTION}.providers must be tables: [[{SECTION}.providers]].")));
                continue;
            };
            let mut reading = Reading { place: place.clone(), found: BTreeMap::new(), problems: Vec::new() };
            reading.gather(table, at);
            let provider = reading.provider(dir);
            problems.append(&mut reading.problems);
            let Some(provider) = provider else { continue };
            match providers.iter().find(|other| other.slug == provider.slug || other.issuer == provider.issuer) {
                Some(other) => problems.push(Problem::at(place, format!("two providers share a slug or an issuer: {} and {}.", other.name, provider.name))),
                None => providers.push(provider),
            }
        }
    }
    (providers, problems)
}

/// One table that is being read.
struct Reading {
    place: Origin,
    found: BTreeMap<&'static str, (String, Origin)>,
    problems: Vec<Problem>,
}

impl Reading {
    fn gather(&mut self, table: &DeTable<'_>, at: &dyn Fn(Range<usize>) -> Origin) {
        for (key, value) in table {
            let (origin, name) = (at(key.span()), key.get_ref().as_ref());
            let Some((known, kind, allowed)) = KEYS.iter().find(|(known, ..)| *known == name) else {
                let near = nearest(name, KEYS.iter().map(|(known, ..)| *known)).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
                self.problems.push(Problem::at(origin, format!("{name} is not a setting of a provider.{near}")));
                continue;
            };
            match as_text(value.get_ref(), *kind) {
                Some(text) => {
                    self.found.insert(known, (text, origin));
                }
                None => self.problems.push(Problem::at(origin, format!("{known} must be {allowed}, not of the type {}.", value.get_ref().type_str()))),
            }
        }
    }

    /// The provider; none if something of it is wrong, which is in `problems` then.
    fn provider(&mut self, dir: &Path) -> Option<Provider> {
        let allow_private_network = self.switch("allow_private_network", false);
        let reach = if allow_private_network { Reach::PrivateToo } else { Reach::Public };
        let provider = (
            self.required("slug", |text| text.parse::<Slug>().ok()),
            self.required("name", |text| line(text, 40)),
            self.required("issuer", |text| is_issuer(text, reach).then(|| text.to_owned())),
            self.required("client_id", |text| line(text, 300)),
            self.secret(dir),
        );
        let scopes = self.checked("scopes", scopes).unwrap_or_else(|| vec!["email".to_owned(), "profile".to_owned()]);
        let (allow_sign_up, trusts_email) = (self.switch("allow_sign_up", true), self.switch("trusts_email", false));
        let replaces_second_factor = self.switch("replaces_second_factor", false);
        let (Some(slug), Some(name), Some(issuer), Some(client_id), client_secret) = provider else { return None };
        self.problems.is_empty().then_some(Provider {
            slug,
            name,
            issuer,
            client_id,
            client_secret,
            scopes,
            allow_sign_up,
            trusts_email,
            replaces_second_factor,
            allow_private_network,
        })
    }

    fn required<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        // A key of the wrong type was told already.
        if !self.found.contains_key(key) && self.problems.is_empty() {
            self.problems.push(Problem::at(&self.place, format!("a provider needs {key}: it must be {}.", allowed(key))));
        }
        self.checked(key, parse)
    }

    fn checked<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let (text, origin) = self.found.get(key)?;
        let parsed = parse(text);
        if parsed.is_none() {
            self.problems.push(Problem::at(origin, format!("{key} of a provider must be {}.", allowed(key))));
        }
        parsed
    }

    fn switch(&mut self, key: &'static str, default: bool) -> bool {
        self.found.get(key).map_or(default, |(text, _)| text == "true")
    }

    fn secret(&mut self, dir: &Path) -> Option<SecretString> {
        if let (Some(_), Some((_, origin))) = (self.found.get("client_secret"), self.found.get("client_secret_file")) {
            self.problems.push(Problem::at(origin, "client_secret is set both as a value and as a file. Keep one of them."));
        }
        let secret = |text: &str| (!text.trim().is_empty()).then(|| SecretString::from(text.trim().to_owned()));
        let given = self.checked("client_secret", secret);
        let from_file = self.checked("client_secret_file", |path| std::fs::read_to_string(dir.join(path)).ok().and_then(|text| secret(&text)));
        given.or(from_file)
    }
}

fn allowed(key: &str) -> &'static str {
    KEYS.iter().find(|(known, ..)| *known == key).map_or("", |(.., allowed)| allowed)
}

fn line(text: &str, most: usize) -> Option<String> {
    let text = text.trim();
    let is_line = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    is_line.then(|| text.to_owned())
}

/// OpenID Connect Discovery 1.0 §3: an https address without query and fragment.
fn is_issuer(text: &str, reach: Reach) -> bool {
    let is_bare = |url: &Url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    Url::parse(text).is_ok_and(|url| is_allowed(&url, reach) && is_bare(&url))
}

/// RFC 6749 §3.3.
fn scopes(text: &str) -> Option<Vec<String>> {
    let is_scope = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    let words: Vec<String> = text.split(',').filter(|word| !word.is_empty() && *word != "openid").map(ToOwned::to_owned).collect();
    words.iter().all(|word| is_scope(word)).then_some(words)
}
