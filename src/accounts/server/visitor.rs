//! From where somebody asks, signed in or not: what lists of sessions, mails about an account and its events say of it.

use crate::{error::AppError, platform::http::RequestInfo};
use axum::{extract::FromRequestParts, http::request::Parts};
use leptos::prelude::use_context;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// A browser or program at an address.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub address: IpAddr,
    /// The User-Agent, at most 200 characters.
    pub device: String,
}

impl Visitor {
    pub fn of(info: &RequestInfo) -> Self {
        Self { address: info.address, device: info.device.clone() }
    }

    /// Who sent the running request, inside a server function.
    pub fn here() -> Self {
        let info = use_context::<Parts>().and_then(|parts| parts.extensions.get::<RequestInfo>().cloned());
        info.as_ref().map_or(Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), device: String::new() }, Self::of)
    }

    /// Whoever sits at the command line of the server.
    pub fn terminal() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), device: TERMINAL.to_owned() }
    }

    /// For the data of an event.
    pub fn facts(&self) -> Value {
        json!({ "address": self.address.to_string(), "device": self.device })
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        parts.extensions.get::<RequestInfo>().map(Self::of).ok_or_else(|| AppError::internal("no request layer"))
    }
}

/// What stands in place of a User-Agent where somebody sits at the server's command line.
const TERMINAL: &str = "command line";

/// A User-Agent as people name the thing: `Firefox on macOS`. Unknown ones say their first word.
pub fn device_in_words(user_agent: &str) -> String {
    if user_agent == TERMINAL {
        return "Command line".to_owned();
    }
    let has = |part: &str| user_agent.contains(part);
    // Order matters: Edge and Opera call themselves Chrome, Chrome calls itself Safari.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("HeadlessChrome", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let systems = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |list: &[(&str, &'static str)]| list.iter().find(|(part, _)| has(part)).map(|(_, name)| *name);
    match (named(&browsers), named(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => match user_agent.split(['/', ' ']).next().filter(|word| !word.is_empty()) {
            Some(word) => word.chars().take(40).collect(),
            None => "Unknown device".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::device_in_words;

    #[test]
    fn devices_are_named_as_people_name_them() {
        for (agent, words) in [
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on macOS"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
            ("curl/8.5.0", "curl"),
            ("my-script/1.0 (nightly)", "my-script"),
            (super::TERMINAL, "Command line"),
            ("", "Unknown device"),
        ] {
            assert_eq!(device_in_words(agent), words);
        }
    }
}
