//! Two parts of `/keys/{id}`: what the key may in effect, from where, and what of it was used; and whether a call would pass.

use crate::{
    error::FieldError,
    keys::{
        components::SaidOrNever,
        model::{ApiRoute, CallTrial, KeyDetail, PermissionUse, TypedCall, Withheld},
    },
    ui::{Badge, Button, CodeTag, Gate, GateGlyph, LinkButton, Note, SelectField, Size, Table, TextField, UNSEEN, heads, number::thousands},
    values::Outcome,
};
use leptos::prelude::*;

/// Effective permissions, with where each comes from; and used against granted.
pub fn used(detail: &KeyDetail) -> AnyView {
    if detail.uses.is_empty() {
        return ().into_any();
    }
    let idle = detail.uses.iter().filter(|u| u.is_idle()).count();
    // Of a young key the days are fewer.
    let since = &detail.counted_since;
    let young = if since.at == detail.created.at { format!(" (counted since {})", since.words) } else { String::new() };
    let lead = match (detail.uses.iter().any(|u| u.is_known), idle) {
        (false, _) if detail.uses.iter().all(|u| u.is_counted_long) => {
            "No route of the API names a permission and no service asks for one, so their use is unknown.".to_owned()
        }
        (false, _) => "Permissions have been counted for less than 30 days, so their use is not known yet.".to_owned(),
        (true, _) if detail.is_untried() => "The key is less than a day old and has no calls yet, so what it needs is not known.".to_owned(),
        (true, 0) => format!("{} in the last 30 days{young}.", all_used(&detail.uses)),
        (true, 1) => format!("One was not used in the last 30 days{young}."),
        (true, n) => format!("{n} were not used in the last 30 days{young}."),
    };
    let narrow = (detail.can_edit && detail.can_narrow())
        .then(|| view! { <div class="row"><LinkButton href=format!("/keys/{}?dialog=narrow", detail.key.id) size=Size::Small>"Take away what it did not use"</LinkButton></div> });
    // Where nothing comes from a bundle, everything was given by itself.
    let has_bundles = !detail.key.bundles.is_empty();
    let withheld = |used: &PermissionUse| detail.withheld.iter().find(|it| it.permission == used.permission).map(Withheld::next_step);
    let rows = detail.uses.iter().map(|used| use_row(used.clone(), has_bundles, withheld(used))).collect_view();
    view! {
        <section aria-labelledby="used-title">
            <div class="section-head"><h2 id="used-title">"Permissions and their use"</h2><p>{lead}</p></div>
            <div class="stack">
                <Table caption="Permissions of this key and the calls that needed them in the last 30 days">
                    {heads(&[("Permission", ""), ("Calls", "num"), ("Last needed", "")])}
                    <tbody>{rows}</tbody>
                </Table>
                {narrow}
            </div>
        </section>
    }
    .into_any()
}

/// "Both were used", of permissions none of which is idle.
fn all_used(uses: &[PermissionUse]) -> String {
    match (uses.len(), uses.iter().all(|used| used.is_known)) {
        (_, false) => "All whose use is known were used".to_owned(),
        (1, true) => "It was used".to_owned(),
        (2, true) => "Both were used".to_owned(),
        (n, true) => format!("All {n} were used"),
    }
}

/// `withheld`: it needs a grant and has none, with the next step.
fn use_row(used: PermissionUse, has_bundles: bool, withheld: Option<String>) -> AnyView {
    let withheld =
        withheld.map(|next| view! { <span><Badge gate=Gate::Refused>"Not granted"</Badge>" Calls that need it are answered FORBIDDEN. "{next}</span> });
    let origin = has_bundles.then(|| view! { <span>{used.origin()}</span> });
    let (calls, last) = match (used.is_known, used.calls) {
        (false, _) if used.is_counted_long => ("–".to_owned(), view! { <span class="faint">"unknown: no route or service asks for it"</span> }.into_any()),
        (false, _) => ("–".to_owned(), view! { <span class="faint">"unknown: counted for less than 30 days"</span> }.into_any()),
        (true, 0) => ("0".to_owned(), view! { <Badge gate=Gate::Idle>"Never used"</Badge> }.into_any()),
        (true, n) => (thousands(n), view! { <SaidOrNever said=used.last/> }.into_any()),
    };
    view! { <tr><th scope="row"><span class="cell-2"><span><CodeTag text=used.permission.to_string()/></span>{origin}{withheld}</span></th><td class="num">{calls}</td><td>{last}</td></tr> }.into_any()
}

/// How the form was filled, and what came of it.
pub type Tried = (TypedCall, Result<CallTrial, Vec<FieldError>>);

/// "Would this call pass?": a form whose answer has a URL.
pub fn trial(detail: &KeyDetail, tried: Option<Tried>) -> AnyView {
    let (typed, result) = tried.map_or_else(|| (TypedCall { method: "GET".to_owned(), ..TypedCall::default() }, None), |(typed, result)| (typed, Some(result)));
    let methods = ApiRoute::METHODS[1..].iter().map(|m| ((*m).to_owned(), (*m).to_owned())).collect();
    let answer = result.map(|result| match result {
        Ok(trial) => answer(trial),
        Err(wrong) => {
            let words = wrong.into_iter().map(|field| view! { <p>{field.message}</p> }).collect_view();
            view! { <Note gate=Gate::Refused>{words}</Note> }.into_any()
        }
    });
    let action = format!("/keys/{}#test", detail.key.id);
    let more = more(detail, &typed);
    view! {
        <section class="stack" id="test" aria-labelledby="test-title">
            <div class="section-head"><h2 id="test-title">"Would this call pass?"</h2><p>"See the gate's own checks, step by step. Nothing is charged or counted, and you don't need the secret."</p></div>
            <form method="get" action=action class="stack" aria-label="Would this call pass?">
                <div class="form-actions">
                    <SelectField label="Method" name="method" id="test-method" options=methods value=typed.method/>
                    <TextField label="Path" name="path" id="test-path" mono=true placeholder="/orders/17" autocomplete="off" maxlength=2000 value=typed.path/>
                    <TextField label="From address" name="ip" id="test-ip" mono=true placeholder="203.0.113.7" autocomplete="off" maxlength=45 value=typed.ip.unwrap_or_default()/>
                    <Button>"Try"</Button>
                </div>
                {more}
            </form>
            {answer}
        </section>
    }
    .into_any()
}

/// What a service may say beside the call, and another time; open while anything stands in it.
fn more(detail: &KeyDetail, typed: &TypedCall) -> AnyView {
    let mut permissions = vec![(String::new(), "Only the route's".to_owned())];
    permissions.extend(detail.permissions.iter().map(|p| (p.permission.to_string(), p.permission.to_string())));
    let other = typed.permission.clone().filter(|asked| permissions.iter().all(|(known, _)| known != asked));
    permissions.extend(other.map(|asked| (asked.clone(), asked)));
    let TypedCall { permission, cost, at, origin, .. } = typed.clone();
    let is_open = typed.has_more() || origin.is_some();
    let when = format!("In {}. Defaults to now.", detail.zone);
    view! {
        <details class="more-fields" open=is_open>
            <summary>"More"</summary>
            <div class="stack form-medium">
                <TextField label="From web page" name="origin" id="test-origin" mono=true placeholder="https://app.example.com" autocomplete="off" maxlength=280 value=origin.unwrap_or_default() help="The origin that a browser sends. Leave empty if none."/>
                <SelectField label="Permission that is asked for" name="permission" id="test-permission" options=permissions value=permission.unwrap_or_default() help="What the service asks for, on top of what the route needs."/>
                <TextField label="Cost" name="cost" id="test-cost" inputmode="numeric" autocomplete="off" maxlength=10 value=cost.unwrap_or_default() help="Units that the service asks for. Leave empty for the route's cost."/>
                <TextField label="At" name="at" id="test-at" kind="datetime-local" value=at.unwrap_or_default() help=when/>
            </div>
        </details>
    }
    .into_any()
}

fn answer(trial: CallTrial) -> AnyView {
    let passes = trial.outcome == Outcome::Valid;
    let gate = Gate::from(trial.outcome.group());
    let verdict = if passes { format!("{} would pass.", trial.call) } else { format!("{} would be answered {}.", trial.call, trial.outcome) };
    let rows = trial
        .steps
        .into_iter()
        .map(|step| {
            let gate = step.refused.map_or(Gate::Passed, |outcome| Gate::from(outcome.group()));
            let said = step.refused.map_or("passes", |_| "refuses");
            view! {
                <tr>
                    <td class="cell-gate"><GateGlyph position=gate tinted=true/><span class="visually-hidden">{said}</span></td>
                    <th scope="row" class="nowrap">{step.title}</th>
                    <td>{step.detail}{step.refused.map(|outcome| view! { " "<CodeTag text=outcome.to_string()/> })}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="stack" role="status">
            <Note gate=gate><b>{verdict}</b></Note>
            <Table caption="What the gate checks, in order" small=true>
                {heads(&[("Passes", UNSEEN), ("Check", ""), ("What it says", "")])}
                <tbody>{rows}</tbody>
            </Table>
        </div>
    }
    .into_any()
}
