//! The limits of one holder (a key, a workspace, an API, a plan, a group): a row each, and one form, which adds a limit or changes the one
//! that the address names (`?set=burst`). Each is sent by itself, so that saving one touches no other.

use super::over::{OVER_BEGINS, OverFields};
use crate::{
    accounts::Caller,
    keys::model::{KeyLimit, LimitView, Over, TypedLimit, Window},
    ui::{Button, ErrorSummary, Form, GroupedSelectField, LinkButton, Look, MoreFields, Size, Table, TextField, folded, number::thousands},
    values::link,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn LimitTable(
    /** The path of the server function that changes one; `TypedLimit` is its fields. */
    #[prop(into)]
    action: String,
    /** "Limits of this key". */
    #[prop(into)]
    label: String,
    /** Whose. */
    hidden: Vec<(&'static str, String)>,
    limits: Vec<KeyLimit>,
    /** How they stand at this moment, by name; none: they are counted for many. */
    #[prop(optional)]
    now: Vec<LimitView>,
    /** The page, as it is when none is chosen. */
    #[prop(into)]
    page: String,
    /** What holds where there are none. */
    #[prop(into)]
    empty: String,
    /** The plan or the group can be tried as it would be then. */
    #[prop(optional)]
    can_try: bool,
) -> impl IntoView {
    let wanted = use_query_map().with_untracked(|map| map.get("set").filter(|name| !name.is_empty()));
    let chosen = limits.iter().find(|limit| Some(&limit.name) == wanted.as_ref()).cloned();
    let list = if limits.is_empty() {
        view! { <p class="muted">{empty}</p> }.into_any()
    } else {
        table(&action, label, &hidden, &limits, &now, &page, chosen.as_ref())
    };
    // Its errors stand in the form below; a limit that is taken away has no fields.
    let removing = use_context::<crate::ui::FormOutcome>().is_some_and(|outcome| outcome.action == action && outcome.form.is_none());
    let removed = removing.then(|| view! { <ErrorSummary action=action.clone()/> });
    view! {
        <div class="stack">
            {removed}
            {list}
            {form(action, hidden, wanted, chosen, limits.is_empty(), page, can_try)}
        </div>
    }
    .into_any()
}

fn table(
    action: &str,
    label: String,
    hidden: &[(&'static str, String)],
    limits: &[KeyLimit],
    now: &[LimitView],
    page: &str,
    chosen: Option<&KeyLimit>,
) -> AnyView {
    let has_now = !now.is_empty();
    let rows = limits
        .iter()
        .map(|limit| {
            let href = format!("{}#limit", link(page, [("set", limit.name.as_str())]));
            let this = [hidden, &[("was", limit.name.clone()), ("act", TypedLimit::REMOVE.to_owned())]].concat();
            let beyond = || match limit.over.words() {
                words if words.is_empty() => view! { <span class="faint">"refused"</span> }.into_any(),
                words => words.trim_start_matches(", ").to_owned().into_any(),
            };
            let stands = now.iter().find(|view| view.name == limit.name).map(|view| format!("{} used, {} left", thousands(view.used), thousands(view.remaining)));
            let mut facts = vec![(2, "Beyond it", beyond())];
            if let Some(stands) = stands.clone() {
                facts.push((2, "Now", stands.into_any()));
            }
            let (edit, remove) = (format!("Edit the limit {}", limit.name), format!("Remove the limit {}", limit.name));
            view! {
                <tr class=(chosen == Some(limit)).then_some("is-current")>
                    <th scope="row"><a class="row-link" href=href.clone()><code>{limit.name.clone()}</code></a>{folded(facts)}</th>
                    <td>{limit.unit.limit_words(limit.limit, limit.window)}</td>
                    <td class="col-2">{beyond()}</td>
                    {has_now.then(|| view! { <td class="col-2 nowrap">{stands}</td> })}
                    <td class="cell-more">
                        <div class="cell-acts">
                            <LinkButton href look=Look::Quiet size=Size::Small label=edit>"Edit"</LinkButton>
                            <Form action=action.to_owned() quiet=true hidden=this><Button size=Size::Small look=Look::Quiet label=remove>"Remove"</Button></Form>
                        </div>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption=label small=true>
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Allows"</th>
                    <th scope="col" class="col-2">"Beyond it"</th>
                    {has_now.then(|| view! { <th scope="col" class="col-2">"Now"</th> })}
                    <td><span class="visually-hidden">"Act"</span></td>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

/// `wanted` is the name in the address; nothing is chosen where somebody took that limit away meanwhile.
fn form(
    action: String,
    mut hidden: Vec<(&'static str, String)>,
    wanted: Option<String>,
    chosen: Option<KeyLimit>,
    is_first: bool,
    page: String,
    can_try: bool,
) -> AnyView {
    let (title, act) = match &chosen {
        Some(limit) => (format!("Change the limit {}", limit.name), "Save limit"),
        None => ("Add a limit".to_owned(), "Add limit"),
    };
    let cancel = chosen.as_ref().map(|_| view! { <LinkButton href=page look=Look::Quiet size=Size::Small>"Cancel"</LinkButton> });
    let tries = can_try.then(|| view! { <Button look=Look::Quiet size=Size::Small name="act" value=TypedLimit::TRY>"Who would be limited?"</Button> });
    let name = match &chosen {
        Some(limit) => limit.name.clone(),
        None if is_first => KeyLimit::DEFAULT.to_owned(),
        None => String::new(),
    };
    let version = wanted.as_ref().map(|_| KeyLimit::version_of(chosen.as_ref()));
    hidden.extend(wanted.map(|was| ("was", was)));
    view! {
        <Form action id="limit" class="stack" label=title.clone() hidden nostrip:version=version>
            <div class="row gap-lg"><h3>{title}</h3><a class="small" href="/docs/limits#units-or-calls">"What is a cost unit?"</a></div>
            <LimitFields limit=chosen name/>
            <div class="form-actions"><Button size=Size::Small>{act}</Button>{tries}{cancel}</div>
        </Form>
    }
    .into_any()
}

/// The fields of one limit: those that its choices ask for show up with them (`style/components/when.css`).
#[component]
fn LimitFields(
    /** The one that is set; none: nothing is typed yet. */
    limit: Option<KeyLimit>,
    name: String,
) -> impl IntoView {
    let called = match limit {
        None => "If empty, it is named after its window, such as hour.",
        Some(_) => "A new name restarts the count: nothing is used, and credits that were added are lost.",
    };
    let window = limit.as_ref().map_or(Window::HOUR, |l| l.window);
    let over = limit.as_ref().map(|l| l.over).unwrap_or_default();
    let unit = limit.as_ref().map(|l| l.unit).unwrap_or_default();
    let value = limit.map(|l| l.limit.to_string()).unwrap_or_default();
    let refill = window.refill().filter(|refill| !refill.is_prepaid()).map(|refill| refill.units.to_string()).unwrap_or_default();
    let is_set = over != Over::REFUSE;
    let begins: Vec<_> = OVER_BEGINS.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let zone = use_context::<Caller>().map(|caller| caller.time_zone);
    view! {
        <div class="limit-line">
            <TextField label="How many" name="limit" value inputmode="numeric" autocomplete="off" maxlength=20 placeholder="1,000"/>
            <GroupedSelectField label="Of what" name="window" groups=Window::offered(window, zone.as_deref()) value=window.choice(unit)/>
            <div class="when-seconds"><TextField label="Seconds" name="seconds" inputmode="numeric" autocomplete="off" maxlength=9/></div>
            <div class="when-refill"><TextField label="Credits back each time" name="refill" value=refill inputmode="numeric" autocomplete="off" maxlength=20 help="Never above the limit."/></div>
            <TextField label="Name in answers" name="name" value=name mono=true autocomplete="off" maxlength=40 help=called/>
        </div>
        <MoreFields words="More: what happens beyond it" begins is_set><OverFields over/></MoreFields>
    }
    .into_any()
}
