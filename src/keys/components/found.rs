//! Whose a pasted key is: the answer above the list, with revoking at hand.

use super::{OfWhom, SaidTime};
use crate::{
    keys::model::{KeyList, KeyState},
    ui::{Gate, LinkButton, Look, Note, Size},
};
use leptos::prelude::*;

/// `list` is what was found for the hash: one key or none, and when that secret of it ended, if it did.
#[component]
pub fn FoundKey(list: KeyList) -> impl IntoView {
    let (is_everywhere, had_ended, ended) = (list.query.everywhere, list.had_ended, list.ended);
    let Some(row) = list.rows.into_iter().next() else {
        let (words, again) = match (had_ended, is_everywhere) {
            (true, _) => {
                ("This secret has ended: it was replaced by a rotation or dropped. No call passes with it. Which key had it is not kept.", is_everywhere)
            }
            (false, true) => ("No key in any workspace has this secret. It may be mistyped or cut off.", true),
            (false, false) => ("No key here has this secret. It may be mistyped or cut off, or belong to another workspace.", false),
        };
        let again = if again { "/keys/find?among=all" } else { "/keys/find" };
        return view! {
            <Note gate=Gate::Idle>
                <p>{words}</p>
                <p><a href=again>"Look for another one"</a></p>
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
                    "This is an old secret of "<a href=path>{row.key.name}</a>" of "<OfWhom owner=row.owner person=row.person/>", for "{row.key.api_name}". It ended "<SaidTime said=ended/>"; calls with it are answered EXPIRED."
                </p>
                {revoke}
            </Note>
        }
        .into_any();
    }
    view! {
        <Note gate=super::gate_of(row.standing.kind)>
            <p>"This is "<a href=path.clone()>{row.key.name}</a>" of "<OfWhom owner=row.owner person=row.person/>", for "{row.key.api_name}". "{row.standing.label}". "{row.standing.why}</p>
            {revoke}
        </Note>
    }
    .into_any()
}
