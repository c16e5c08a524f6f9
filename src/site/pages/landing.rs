//! `/` signed out: what this is, one question and its answer, and the way in.

use crate::ui::{
    Badge, Gate, GateGlyph, LinkButton, Look, PublicFrame, SignUpOpen, Size,
    chart::{Bucket, Limit, Series, UsageChart},
};
use leptos::prelude::*;
use leptos_meta::Title;

const QUESTION: &str = r#"{ "key": "ord_live_7Kq2…",
  "route": "POST /orders" }

{ "valid": false,
  "code": "RATE_LIMITED",
  "limits": [{ "name": "hour", "limit": 2400,
               "remaining": 0, "reset_after": 2 }],
  "retry_after": 2 }"#;

/// A day of a key that met its limit three times, in calls an hour: the picture, not data of this server.
const DAY: [(u64, u64, u64); 24] = [
    (1530, 0, 0),
    (1800, 0, 0),
    (1930, 0, 0),
    (2400, 92, 0),
    (2220, 0, 0),
    (1750, 0, 0),
    (1070, 0, 0),
    (610, 0, 0),
    (300, 0, 0),
    (226, 0, 0),
    (195, 0, 0),
    (195, 0, 0),
    (232, 0, 0),
    (341, 0, 0),
    (598, 0, 0),
    (1016, 0, 0),
    (1406, 0, 0),
    (1543, 0, 23),
    (1796, 0, 0),
    (1848, 0, 0),
    (2400, 386, 0),
    (2400, 741, 4),
    (1588, 0, 0),
    (1157, 0, 0),
];

#[component]
pub fn LandingPage() -> impl IntoView {
    view! {
        <Title text="Tollgate"/>
        <PublicFrame links=vec![("Docs".to_owned(), "/docs".to_owned()), ("API".to_owned(), "/docs/api".to_owned())]
            foot="One binary and a Postgres database" foot_links=vec![("Docs".to_owned(), "/docs".to_owned()), ("Status".to_owned(), "/status".to_owned())]>
            <div class="site">{hero()}{gates()}{picture()}{for_whom()}</div>
        </PublicFrame>
    }
}

fn hero() -> AnyView {
    let (href, words) = door();
    view! {
        <section class="hero">
            <div class="stack-lg">
                <h1>"The front office of your API"</h1>
                <p class="prose">"Developers sign up, create keys and see what they use. For each call, your API asks Tollgate one question, "<b class="strong ink">"may this call pass?"</b>", and gets an answer that says why."</p>
                <div class="row">
                    <LinkButton href look=Look::Primary size=Size::Large>{words}</LinkButton>
                    <LinkButton href="/docs" size=Size::Large>"Read the docs"</LinkButton>
                </div>
            </div>
            <div class="code">
                <div class="code-head"><span class="method">"POST"</span><span class="mono">"/api/v1/keys/verify"</span><span class="push"><Badge gate=Gate::Limited>"RATE_LIMITED"</Badge></span></div>
                <pre tabindex="0" role="region" aria-label="Example request and response">{QUESTION}</pre>
            </div>
        </section>
    }
    .into_any()
}

/// The way in: signing up, where everybody may.
fn door() -> (&'static str, &'static str) {
    if SignUpOpen::here() { ("/sign-up", "Create account") } else { ("/sign-in", "Sign in") }
}

fn gates() -> AnyView {
    let steps = [
        ("Well-formed?", "The checksum catches typos", Gate::Passed, ""),
        ("Known?", "checkout service of Nordlicht Shop", Gate::Passed, ""),
        ("Still good?", "Not revoked, expired or banned", Gate::Passed, ""),
        ("For this API?", "The key was made for Orders", Gate::Passed, ""),
        ("Allowed?", "It has orders:write", Gate::Passed, ""),
        ("Within limits?", "No: 0 of 2,400 left this hour", Gate::Limited, "is-deciding"),
    ];
    let steps = steps
        .map(|(title, words, gate, class)| view! { <li class=class><GateGlyph position=gate tinted=true/><h3>{title}</h3><p class="muted">{words}</p></li> })
        .collect_view();
    view! {
        <section class="stack" aria-labelledby="gates">
            <h2 id="gates">"Every call passes through the same six gates"</h2>
            <p class="prose">"The first gate that stays closed decides. The answer says which rule it was, what is left and when to try again."</p>
            <ol class="steps">{steps}</ol>
        </section>
    }
    .into_any()
}

fn picture() -> AnyView {
    let buckets = DAY.iter().enumerate().map(|(i, (passed, limited, refused))| {
        let hour = (i + 16) % 24;
        Bucket {
            label: format!("{hour:02}:00"),
            long_label: format!("{hour:02}:00"),
            iso: format!("2026-11-20T{hour:02}:00:00Z"),
            passed: *passed,
            limited: *limited,
            refused: *refused,
            href: None,
        }
    });
    let series = Series {
        id: "day".into(),
        title: "checkout service".into(),
        note: "24 hours; three reached the limit".into(),
        unit: "Hour".into(),
        buckets: buckets.collect(),
        end: "2026-11-20T16:00:00Z".into(),
        limit: Some(Limit { value: 2400, label: "2,400 an hour".into() }),
        ..Series::default()
    };
    let meanings = [
        (Gate::Passed, "Passed", " and counted, exactly once"),
        (Gate::Limited, "Limited", ", with the seconds to wait before trying again"),
        (Gate::Refused, "Refused", ", with the rule that refused it"),
    ];
    let meanings = meanings
        .map(|(gate, word, rest)| view! { <li class="row"><GateGlyph position=gate tinted=true/><span><b class="strong">{word}</b>{rest}</span></li> })
        .collect_view();
    view! {
        <section class="hero" aria-labelledby="picture">
            <div class="stack">
                <h2 id="picture">"See every call that did not pass, and why"</h2>
                <p class="prose">"The developer who wonders why a call failed and the operator who set the limit look at the same chart. Passed, limited and refused have the same words, colours and marks on every page."</p>
                <ul class="stack-sm plain-list">{meanings}</ul>
            </div>
            <UsageChart series small=true/>
        </section>
    }
    .into_any()
}

fn for_whom() -> AnyView {
    let (way_in, enter) = door();
    let columns = [
        ("You call an API", "Create a key in ten seconds. See what you have used and what is left.", way_in, enter),
        (
            "You run an API",
            "Decide who may call what, and how often. Spot abuse. Disable a key or an account, and its calls are refused at once.",
            "/docs",
            "Read the guide",
        ),
        (
            "You build the integration",
            "One endpoint to verify keys, forward auth for nginx, Caddy, Traefik and Envoy, and errors that a program can act on.",
            "/docs/api",
            "API reference",
        ),
    ];
    let columns = columns
        .map(|(title, words, href, link)| view! { <div class="stack-sm"><h3>{title}</h3><p class="muted">{words}</p><p><a href=href>{link}</a></p></div> })
        .collect_view();
    view! { <section class="cols-3" aria-label="Who it is for">{columns}</section> }.into_any()
}
