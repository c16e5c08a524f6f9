//! Whose a pasted key is: the answer above the list, with revoking at hand.

use super::SaidTime;
use crate::{
    keys::model::{KeyRow, KeyState, Said},
    ui::{Gate, LinkButton, Look, Note, Size},
};
use leptos::prelude::*;

/// `rows` are what the list found for the hash: one key or none; `ended`, when that secret of it ended.
#[component]
pub fn FoundKey(rows: Vec<KeyRow>, ended: Option<Said>) -> impl IntoView {
    let Some(row) = rows.into_iter().next() else {
        return view! {
            <Note gate=Gate::Idle>
                <p>"No key here has this secret. It may be mistyped or cut off, belong to another workspace, or have ended with a rotation."</p>
                <p><a href="/keys/find">"Look for another one"</a></p>
            </Note>
        }
        .into_any();
    };
    let path = format!("/keys/{}", row.key.id);
    let revoke = (row.key.state != KeyState::Revoked)
        .then(|| view! { <LinkButton href=format!("{path}?dialog=revoke") look=Look::DangerQuiet size=Size::Small>"Revoke it"</LinkButton> });
    if let Some(ended) = ended {
        return view! {
            <Note gate=Gate::Idle>
                <p>
                    "This is an old secret of "<a href=path>{row.key.name}</a>" of "{row.owner}", for "{row.key.api_name}". It ended "<SaidTime said=ended/>"; calls with it are answered EXPIRED."
                </p>
                {revoke}
            </Note>
        }
        .into_any();
    }
    view! {
        <Note gate=super::gate_of(row.standing.kind)>
            <p>"This is "<a href=path.clone()>{row.key.name}</a>" of "{row.owner}", for "{row.key.api_name}". "{row.standing.label}". "{row.standing.why}</p>
            {revoke}
        </Note>
    }
    .into_any()
}
