//! The secrets on `/keys/{id}`: who uses which, and when the old ones end.

use crate::{
    keys::{
        api::{DropSecret, ExtendSecret},
        components::SaidTime,
        model::{KeyDetail, SecretView},
    },
    ui::{ACT, Gate, GateGlyph, Icon, Menu, MenuAct, MenuRule, Table, folded, heads},
};
use leptos::{prelude::*, server_fn::ServerFn};

/// What programs send; during a rotation more than one.
pub fn secrets(detail: &KeyDetail) -> AnyView {
    let lead = match detail.secrets.len() {
        0 => "None is accepted.",
        1 => "Only its hash is stored. If it got lost or leaked, rotate the key.",
        _ => "Several are accepted while you change over. The key, its history and its limits stay the same.",
    };
    let key = detail.key.id.to_string();
    let can_edit = detail.can_edit;
    let rows = detail.secrets.iter().cloned().map(|s| secret(s, &key, can_edit)).collect_view();
    view! {
        <section id="secrets" aria-labelledby="secrets-title">
            <div class="section-head"><h2 id="secrets-title">"Secrets"</h2><p>{lead}</p></div>
            <Table caption="Secrets of this key, newest first">
                {heads(&[("Secret", ""), ("Last used", ""), ("Since", "col-2"), ("Accepted until", ""), ACT])}
                <tbody>{rows}</tbody>
            </Table>
        </section>
    }
    .into_any()
}

fn secret(secret: SecretView, key: &str, can_edit: bool) -> AnyView {
    let menu = (can_edit && !secret.is_newest).then(|| menu(&secret, key));
    let until = match (secret.until, secret.until_first_use) {
        (None, _) => view! { <span class="faint">"no end"</span> }.into_any(),
        (Some(said), false) => view! { <SaidTime said/> }.into_any(),
        (Some(said), true) => {
            view! { <span class="cell-2"><span>"the new one is used"</span><span class="small muted">"at the latest "<SaidTime said/></span></span> }.into_any()
        }
    };
    let used = match (secret.is_newest, secret.is_missed, secret.last_use) {
        (false, false, _) => {
            view! { <span class="row"><GateGlyph position=Gate::Passed tinted=true/>"Not seen since the rotation: safe to drop"</span> }.into_any()
        }
        (false, true, Some(last)) => {
            let by = (!last.by.is_empty()).then(|| format!(" from {}", last.by));
            view! { <span class="row"><GateGlyph position=Gate::Limited tinted=true/><span>"Still used "<SaidTime said=last.at/>{by}</span></span> }.into_any()
        }
        (_, _, Some(last)) => view! { <span class="cell-2"><SaidTime said=last.at/><span class="small muted">{last.by}</span></span> }.into_any(),
        (_, _, None) => view! { <span class="faint">"never"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><code>{secret.start}"…"</code>{folded(vec![(2, "Since", view! { <SaidTime said=secret.since.clone()/> }.into_any())])}</th>
            <td>{used}</td>
            <td class="col-2"><SaidTime said=secret.since/></td>
            <td>{until}</td>
            <td class="cell-more">{menu}</td>
        </tr>
    }
    .into_any()
}

/// For an old secret: later or earlier, or at once.
fn menu(secret: &SecretView, key: &str) -> AnyView {
    const ENDS: [(&str, &str); 4] = [
        ("3600", "Accept for 1 hour from now"),
        ("86400", "Accept for 24 hours from now"),
        ("2592000", "Accept for 30 days from now"),
        ("first_use", "Accept until the new one is used"),
    ];
    let (id, label) = (format!("menu-{}", secret.id), format!("More for {}", secret.start));
    let this = vec![("id", key.to_owned()), ("secret", secret.id.to_string())];
    let ends = ENDS.map(|(grace, label)| {
        let fields = [this.clone(), vec![("grace", grace.to_owned())]].concat();
        view! { <MenuAct action=ExtendSecret::PATH fields icon=Icon::Rotate label/> }
    });
    view! {
        <Menu id label>
            {ends.into_iter().collect_view()}
            <MenuRule/>
            <MenuAct action=DropSecret::PATH fields=this icon=Icon::Trash label="Drop" danger=true/>
        </Menu>
    }
    .into_any()
}
