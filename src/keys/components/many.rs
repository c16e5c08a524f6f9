//! Choosing many keys in a list, and the page that says what an act on them will do. The boxes belong to the form of the bar, wherever
//! they stand, so it works without JavaScript; the bar shows as soon as a box is checked (CSS).

use super::StandingBadge;
use crate::{
    accounts::Caller,
    keys::model::{KeyQuery, ManyAct, ManyPreview, ManyQuery, ManyRow, NamedKey},
    ui::{
        Badge, Button, Empty, FilterSelect, Form, Gate, Icon, IconButton, LinkButton, Look, Note, PageHeader, SelectField, Size, Table, TextField, folded,
        heads,
        number::{count, thousands},
    },
    values::permission_names as may,
};
use leptos::prelude::*;

/// The form that the boxes belong to.
const FORM: &str = "many";

/// The box in the head of the table: checks every row of the page. Only a script can, so without one it is not there.
#[component]
pub fn CheckAll() -> impl IntoView {
    view! { <td class="cell-check"><input class="check" type="checkbox" hidden data-js data-check-all aria-label="Select every key of this page"/></td> }
}

/// The box of a row.
#[component]
pub fn CheckKey(#[prop(into)] id: String, #[prop(into)] name: String) -> impl IntoView {
    view! { <td class="cell-check"><input class="check row-check" type="checkbox" name="key" value=id form=FORM aria-label=format!("Select {name}")/></td> }
}

/// What to do with the checked keys, or with all `found` ones. `path` is where the act is looked at first.
#[component]
pub fn ManyBar(query: KeyQuery, found: u64, #[prop(into)] path: String) -> impl IntoView {
    let filters = query.filters().into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect::<Vec<_>>();
    let may_plan = use_context::<Caller>().is_some_and(|caller| caller.may(&may::KEYS_MANAGE));
    let acts = ManyAct::ALL.into_iter().filter(|(act, ..)| may_plan || *act != ManyAct::Plan);
    let acts: Vec<(String, String)> = acts.map(|(_, word, label)| (word.to_owned(), label.to_owned())).collect();
    let all = format!("all {} that match", count(found, "key", "keys"));
    view! {
        <form id=FORM class="bulk-bar" method="get" action=path aria-label="With the selected keys">
            {filters.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            <b data-checked>"Selected keys"</b>
            <label class="row"><input class="check" type="checkbox" name="all" value="true"/>{all}</label>
            <span class="rule"></span>
            <FilterSelect label="What to do with them" name="act" options=acts/>
            <Button size=Size::Small>"Preview"</Button>
            <IconButton icon=Icon::Close label="Clear the selection" kind="reset" size=Size::Small/>
        </form>
    }
    .into_any()
}

/// What will happen to how many keys, which stay as they are and why, and the button that does it. `action` is the path of the server
/// function, `path` this page, `back` the list.
#[component]
pub fn ManyDecision(preview: Option<ManyPreview>, query: ManyQuery, action: &'static str, path: &'static str, back: &'static str) -> impl IntoView {
    let back = query.filters.link(back, None);
    let Some(preview) = preview else {
        return view! {
            <PageHeader title="Many keys at once"/>
            <Empty title="No key is chosen" text="Select keys in the list and choose what to do. You then review the change here."><LinkButton href=back>"Choose keys"</LinkButton></Empty>
        }
        .into_any();
    };
    if !preview.is_complete {
        return view! { <PageHeader title=label(preview.act)/>{missing(&preview, &query, path, back)} }.into_any();
    }
    let title = title(preview.act, preview.changes, query.label.as_deref());
    let skipped = skipped(&preview);
    if preview.changes == 0 {
        return view! {
            <PageHeader title/>
            {skipped}
            <Empty title="Nothing would change" text="Every selected key is already like this, or can't be changed."><LinkButton href=back>"Back to the keys"</LinkButton></Empty>
        }
        .into_any();
    }
    let lead = match preview.act {
        ManyAct::Tag | ManyAct::Untag => effect(preview.act).to_owned(),
        act => format!("{} {}", calls(&preview), effect(act)),
    };
    let lead = lead.into_any();
    let leaked = (preview.leaked > 0 && preview.act == ManyAct::Enable).then(|| leaked(preview.leaked));
    let leaked = leaked.map(|words| view! { <Note gate=Gate::Refused>{words}</Note> });
    let more = preview.has_more.then(|| view! { <Note>"At most 10,000 keys change at once, so these are the first 10,000. Repeat this for the rest."</Note> });
    let table = table(&preview);
    let form = confirm(&preview, query, action, back, &title);
    view! { <PageHeader title lead/><div class="stack-lg">{more}{leaked}{skipped}{table}{form}</div> }.into_any()
}

fn label(act: ManyAct) -> &'static str {
    ManyAct::ALL.into_iter().find(|(known, ..)| *known == act).map_or("", |(_, _, label)| label)
}

/// "Disable 12 keys".
fn title(act: ManyAct, n: u64, tag: Option<&str>) -> String {
    let (keys, tag) = (count(n, "key", "keys"), tag.unwrap_or_default());
    match act {
        ManyAct::Disable => format!("Disable {keys}"),
        ManyAct::Enable => format!("Enable {keys}"),
        ManyAct::Extend => format!("Extend {keys}"),
        ManyAct::Tag => format!("Tag {keys} with {tag}"),
        ManyAct::Untag => format!("Take the tag {tag} from {keys}"),
        ManyAct::Plan if tag == ManyQuery::NO_PLAN => format!("Take their own plan from {keys}"),
        ManyAct::Plan => format!("Give {keys} the plan {tag}"),
        ManyAct::Revoke => format!("Revoke {keys}"),
    }
}

fn effect(act: ManyAct) -> &'static str {
    match act {
        ManyAct::Disable => "Every call with these keys is answered DISABLED until they are enabled again.",
        ManyAct::Enable => "Calls with these keys can pass again.",
        ManyAct::Extend => "They last until the chosen day. No expiry moves earlier.",
        ManyAct::Tag | ManyAct::Untag => "Calls are not affected.",
        ManyAct::Plan => "The plan's limits apply to each key that has no limits of its own.",
        ManyAct::Revoke => "Every further call with these keys is answered REVOKED. This can't be undone.",
    }
}

/// What came with the keys lately: whom the act is about, in numbers.
fn calls(preview: &ManyPreview) -> String {
    let which = if preview.changes == 1 { "it" } else { "them" };
    match preview.calls {
        0 => format!("No call came with {which} in the last 24 hours."),
        n => format!("{} came with {which} in the last 24 hours.", count(n, "call", "calls")),
    }
}

/// Of keys that are to be enabled.
fn leaked(keys: u64) -> String {
    let them = if keys == 1 { "it" } else { "them" };
    format!("{} leaked: others can call with {them} from then on. Rotate {them} first.", count(keys, "key has", "keys have"))
}

/// The act wants a word first: a plain GET form, so that the answer is a page with an address.
fn missing(preview: &ManyPreview, query: &ManyQuery, path: &'static str, back: String) -> AnyView {
    let hidden = hidden(query, "key").into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    let field = match preview.act {
        ManyAct::Extend => {
            let help = format!("They last until the start of this day ({}). Keys that last longer or never expire don't change.", preview.zone);
            view! { <TextField label="Until" name="until" kind="date" help required=true/> }.into_any()
        }
        ManyAct::Plan => {
            let none = (ManyQuery::NO_PLAN.to_owned(), "None of their own".to_owned());
            let plans: Vec<(String, String)> = preview.plans.iter().cloned().chain([none]).collect();
            view! { <SelectField label="Plan" name="label" options=plans help="Each key gets the plan's limits for itself."/> }.into_any()
        }
        ManyAct::Disable | ManyAct::Enable | ManyAct::Tag | ManyAct::Untag | ManyAct::Revoke => {
            view! { <TextField label="Tag" name="label" autocomplete="off" maxlength=30 required=true help="1 to 30 letters a to z, digits or hyphens."/> }
                .into_any()
        }
    };
    view! {
        <form class="stack form-medium" method="get" action=path>
            {hidden}
            {field}
            <div class="form-actions"><Button look=Look::Primary>"Preview"</Button><LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton></div>
        </form>
    }
    .into_any()
}

/// The selection as hidden fields; the list of ids is called `key` in a query and `keys[]` in a server function.
fn hidden(query: &ManyQuery, keys: &'static str) -> Vec<(&'static str, String)> {
    let filters = query.filters.filters().into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())));
    let mut fields = vec![("act", query.act.clone())];
    if query.all {
        fields.push(("all", "true".to_owned()));
    } else {
        fields.extend(query.keys.iter().map(|id| (keys, id.clone())));
    }
    fields.extend(filters);
    fields
}

fn skipped(preview: &ManyPreview) -> Option<AnyView> {
    let groups = preview.skipped.iter().map(|group| {
        let rest = group.count - group.names.len() as u64;
        let names = group.names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        let names = match (names.is_empty(), rest) {
            (true, _) => String::new(),
            (false, 0) => format!(": {names}"),
            (false, rest) => format!(": {names} and {}", thousands(rest)),
        };
        view! { <li>{format!("{} {}{names}", count(group.count, "key", "keys"), said(&group.why, group.count))}</li> }
    });
    let groups = groups.collect_view();
    (!preview.skipped.is_empty()).then(|| view! { <Note gate=Gate::Idle><p>"Not changed:"</p><ul>{groups}</ul></Note> }.into_any())
}

/// "is disabled already" of one, "are disabled already" of several.
fn said(why: &str, n: u64) -> String {
    let verbs = [("is ", "are "), ("has ", "have "), ("lasts ", "last "), ("does ", "do "), ("never expires", "never expire")];
    let plural = verbs.into_iter().find_map(|(one, many)| why.strip_prefix(one).map(|rest| format!("{many}{rest}")));
    if n == 1 { why.to_owned() } else { plural.unwrap_or_else(|| why.to_owned()) }
}

fn table(preview: &ManyPreview) -> AnyView {
    let has_owners = preview.has_owners;
    let rows = preview.changed.iter().cloned().map(|it| row(it, has_owners)).collect_view();
    let owner = has_owners.then_some(("Owner", "col-2"));
    let columns: Vec<_> = [("Key", "")].into_iter().chain(owner).chain([("Calls, 24 h", "num col-2"), ("Status", "cell-status")]).collect();
    let head = heads(&columns);
    let rest = preview.changes.saturating_sub(preview.changed.len() as u64);
    let rest = (rest > 0).then(|| view! { <p class="muted">{format!("and {} more", thousands(rest))}</p> });
    view! {
        <Table caption="Keys that change" cards=true>
            {head}
            <tbody>{rows}</tbody>
        </Table>
        {rest}
    }
    .into_any()
}

fn row(it: ManyRow, has_owners: bool) -> AnyView {
    let NamedKey { id, name, start } = it.key;
    let is_off = it.standing.kind.is_off();
    let leaked = it.is_leaked.then(|| view! { " "<Badge gate=Gate::Refused>"Leaked"</Badge> });
    let owner = has_owners.then(|| (2, "Owner", it.owner.clone().into_any()));
    let facts = owner.into_iter().chain([(2, "Calls, 24 h", thousands(it.calls).into_any())]).collect();
    view! {
        <tr class=is_off.then_some("is-off")>
            <th scope="row"><span class="cell-2"><a class="row-link" href=format!("/keys/{id}")>{name}</a><span><code>{start}"…"</code>{leaked}</span></span>{folded(facts)}</th>
            {has_owners.then(|| view! { <td class="col-2">{it.owner}</td> })}
            <td class="num col-2">{thousands(it.calls)}</td>
            <td class="cell-status"><StandingBadge id=format!("why-{id}") standing=it.standing end=true/></td>
        </tr>
    }
    .into_any()
}

fn confirm(preview: &ManyPreview, query: ManyQuery, action: &'static str, back: String, title: &str) -> AnyView {
    let mut fields = hidden(&query, "keys[]");
    fields.push(("seen", preview.changes.to_string()));
    fields.extend(query.until.map(|until| ("until", until)));
    fields.extend(query.label.map(|label| ("label", label)));
    let is_final = preview.act == ManyAct::Revoke;
    let type_it = format!("Type {} to confirm", preview.changes);
    let look = if is_final { Look::Danger } else { Look::Primary };
    let title = title.to_owned();
    view! {
        <Form action=action class="stack form-medium" hidden=fields>
            <TextField label="Reason" name="reason" help="Optional. Shown in the history of each key." autocomplete="off" maxlength=200/>
            {is_final.then(|| view! { <TextField label=type_it name="typed" inputmode="numeric" autocomplete="off" required=true/> })}
            <div class="form-actions"><Button look>{title}</Button><LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton></div>
        </Form>
    }
    .into_any()
}
