//! One plan: what it allows, what that would have held back, who has it, and its form.

use super::plans::PATH;
use crate::{
    keys::{
        components::{GrantForm, LimitTable},
        model::GrantChoice,
    },
    plans::{
        api::{AssignPlan, DeletePlan, SavePlan, SetPlanGrants, SetPlanLimit, TakePlan},
        model::{ChosenPlan, DryRun, Holder, Plan, PlanForm, Trial, WouldBeLimited},
    },
    ui::{
        Button, ErrorSummary, Form, FormOutcome, Look, MoreFields, PageHeader, Size, Table, TextArea, TextField, folded,
        number::{count, share, thousands},
        time::date,
    },
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// The fields of a plan. Its slug is chosen once.
pub fn fields(form: PlanForm, is_new: bool) -> AnyView {
    let slug = is_new.then(|| {
        view! { <TextField label="Slug" name="plan[slug]" mono=true maxlength=40 required=true autocomplete="off" help="What the gate answers as the plan: lower-case letters, digits, hyphens. Can't be changed later."/> }
    });
    let is_set = [&form.description, &form.per_1000, &form.currency, &form.entitlements].into_iter().any(|text| !text.is_empty());
    let begins = ["description", "per_1000", "currency", "entitlements"].map(|name| (format!("plan[{name}]"), "")).to_vec();
    // Those of a plan that there is stand in a table of their own.
    let limits = is_new.then(|| window_fields("plan", "Leave all empty and the plan changes no limit."));
    let name = view! { <TextField label="Name" name="plan[name]" value=form.name maxlength=80 required=true autocomplete="off"/> };
    let named = if is_new { view! { <div class="cols-2">{name}{slug}</div> }.into_any() } else { name.into_any() };
    view! {
        {named}
        {limits}
        <MoreFields words="More: description, price, what it also gives" begins is_set>
            <TextArea label="Description" name="plan[description]" value=form.description rows=2 maxlength=400/>
            <div class="cells">
                <TextField label="Price of 1,000 units" name="plan[per_1000]" value=form.per_1000 inputmode="decimal" autocomplete="off" maxlength=20 placeholder="none"/>
                <TextField label="Currency" name="plan[currency]" value=form.currency autocomplete="off" maxlength=3 placeholder="EUR"/>
            </div>
            <p class="help">"Used for an estimate on the usage page. Nobody is billed."</p>
            <TextArea label="Also gives" name="plan[entitlements]" value=form.entitlements help="One per line. Lines such as exports or seats=5 are sent to services with each call of its keys. Other lines are for people to read." rows=2 maxlength=2500/>
        </MoreFields>
    }
    .into_any()
}

/// The fields of `NewLimits` in the form of this name; `none` says what holds without any.
pub fn window_fields(of: &'static str, none: &'static str) -> AnyView {
    let number = move |label: &'static str, name: &'static str| {
        view! { <TextField label name=format!("{of}[{name}]") inputmode="numeric" autocomplete="off" maxlength=20 placeholder="no limit"/> }
    };
    view! {
        <div class="stack-sm">
            <div class="cells">
                {number("Units a second", "second")}
                {number("Units a minute", "minute")}
                {number("Units an hour", "hour")}
                {number("Units a day", "day")}
                {number("Units a month", "month")}
            </div>
            <p class="help">{none}" Days and months are in UTC. Other limits, such as rolling ones, of calls or of credits, can be added as soon as it exists. "<a href="/docs/limits#units-or-calls">"What is a cost unit?"</a></p>
        </div>
    }
    .into_any()
}

/// The page of a plan: what it allows, what that would have held back, who has it, and its form beside it.
pub fn one_plan(chosen: ChosenPlan, needing: Vec<GrantChoice>, run: Option<AnyView>) -> AnyView {
    let ChosenPlan { plan, holders, .. } = chosen;
    let (slug, page) = (plan.slug.to_string(), link(PATH, [("edit", plan.slug.as_str())]));
    let (limits, granted, of) = (plan.limits.clone(), plan.grants.clone(), slug.clone());
    let delete = plan.is_free().then(|| {
        let hidden = vec![("slug", plan.slug.to_string())];
        view! { <div class="card-body"><Form action=DeletePlan::PATH quiet=true hidden><Button look=Look::DangerQuiet>"Delete"</Button></Form></div> }
    });
    let lead = view! { <code>{slug.clone()}</code>{(!plan.description.is_empty()).then(|| format!(" · {}", plan.description))} }.into_any();
    view! {
        <PageHeader title=plan.name.clone() lead/>
        <ErrorSummary action=DeletePlan::PATH/>
        <div class="cols-main">
            <div class="stack-xl">
                <section id="limits" aria-labelledby="h-limits">
                    <div class="section-head"><h2 id="h-limits">"Limits"</h2></div>
                    <LimitTable action=SetPlanLimit::PATH label="Limits of the plan" hidden=vec![("slug", slug)] limits page empty="None. The plan changes no limit." can_try=true/>
                </section>
                {run}
                {assigned(&plan, holders)}
                <section id="grants" aria-labelledby="h-grants">
                    <div class="section-head"><h2 id="h-grants">"Grants"</h2></div>
                    <GrantForm action=SetPlanGrants::PATH label="What the plan grants" hidden=vec![("slug", of)] needing granted help="For keys of everyone who has the plan. What you remove is refused at once."/>
                </section>
            </div>
            <aside class="card" aria-labelledby="h-details">
                <div class="card-head"><h2 id="h-details">"Details"</h2></div>
                <Form action=SavePlan::PATH class="card-body stack" label="Change the plan" hidden=vec![("plan[slug]", plan.slug.to_string())] version=plan.version()>
                    {fields(PlanForm::of(&plan), false)}
                    <div class="form-actions"><Button look=Look::Primary>"Save"</Button></div>
                </Form>
                {delete}
            </aside>
        </div>
    }
    .into_any()
}

fn assigned(plan: &Plan, holders: Vec<Holder>) -> AnyView {
    let shown = holders.len() as u64;
    let rest = (plan.groups + plan.workspaces + plan.keys).saturating_sub(shown);
    let items = holders.into_iter().map(holder).collect_view();
    let list = if shown == 0 {
        view! { <p class="muted">"Nobody has it yet."</p> }.into_any()
    } else {
        view! { <ul class="list flush small-list">{items}</ul> }.into_any()
    };
    view! {
        <section class="stack" aria-labelledby="h-has">
            <h2 id="h-has">"Who has it"</h2>
            {list}
            {(rest > 0).then(|| view! { <p class="muted">{format!("And {}.", count(rest, "other", "others"))}</p> })}
            <ErrorSummary action=TakePlan::PATH/>
            <Form action=AssignPlan::PATH class="stack-sm form-medium" label="Assign" hidden=vec![("slug", plan.slug.to_string())]>
                <TextField label="Give it to" name="to" autocomplete="off" maxlength=254 required=true help="An account's email, a group's slug, or the id of a workspace or a key. A workspace counts all its keys together; a group means each of its workspaces."/>
                <div class="form-actions"><Button size=Size::Small>"Assign"</Button></div>
            </Form>
        </section>
    }
    .into_any()
}

fn holder(holder: Holder) -> AnyView {
    let kind = holder.kind.word();
    let name = match holder.href {
        Some(href) => view! { <a class="row-link" href=href>{holder.name.clone()}</a> }.into_any(),
        None => holder.name.clone().into_any(),
    };
    view! {
        <li class="row-between">
            <span>{name}" "<span class="faint">{kind}</span></span>
            <Form action=TakePlan::PATH quiet=true hidden=vec![("from", holder.id)]><Button size=Size::Small look=Look::Quiet label=format!("Take the plan from {}", holder.name)>"Take away"</Button></Form>
        </li>
    }
    .into_any()
}

/// The form of the limit as it was typed when it was tried, since nothing of it is saved, with the version that it was typed over; `action` is
/// where the form goes.
pub fn show_typed(trial: &Option<Trial>, action: &str) {
    let Some(typed) = trial.as_ref().and_then(|trial| trial.typed.as_ref()) else { return };
    if use_context::<FormOutcome>().is_none() {
        let values = typed.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        provide_context(FormOutcome { action: action.to_owned(), form: Some("limit".to_owned()), error: None, values });
    }
}

/// Of whom a plan is tried, and with what.
pub fn of_whom(slug: &str, trial: &Trial) -> AnyView {
    let others = Trial { of_holders: !trial.of_holders, ..trial.clone() }.link(PATH, slug);
    let whom = if trial.of_holders { "Try it for everybody" } else { "Only for those who have it" };
    let counted = Trial { by_key: !trial.by_key, ..trial.clone() }.link(PATH, slug);
    let how = if trial.by_key { "All keys of a workspace together" } else { "Each key alone" };
    view! { {with_what(trial)}<p><a href=others>{whom}</a>" · "<a href=counted>{how}</a></p> }.into_any()
}

/// Whether one limit is as it was typed.
pub fn with_what(trial: &Trial) -> AnyView {
    trial.typed.as_ref().map(|_| view! { <p class="help">"With the limit as typed in the form. Nothing is saved."</p> }).into_any()
}

/// Who would have been limited since the first of last month; `had` begins the sentence: "Had everybody been on Pro".
pub fn dry_run(had: &str, run: DryRun, notes: AnyView) -> AnyView {
    let cannot = (!run.not_tried.is_empty()).then(|| {
        let words = format!(
            "Can't be tried: {}. Usage is kept by the minute, so limits per second, calls at the same time and credits that come back more often than every hour can't be checked.",
            run.not_tried.join(", ")
        );
        view! { <p>{words}</p> }
    });
    let rolling = (!run.by_quarters.is_empty()).then(|| {
        let words = format!(
            "To 15 minutes: {}. Usage over this time is kept in steps of 15 minutes: a rolling window counts each step at its start, and credits are full at first. Times are the steps in which something would have been held back.",
            run.by_quarters.join(", ")
        );
        view! { <p class="help">{words}</p> }
    });
    let minutes = run.minutes_since.map(|since| {
        let words = format!(
            "By the minute: {}. Usage by the minute is kept only since {}, so earlier usage is left out. A rolling window counts each minute at its start.",
            run.by_minutes.join(", "),
            date(since)
        );
        view! { <p class="help">{words}</p> }
    });
    // Where all count calls, so do the columns.
    let of_calls = (!run.by_calls.is_empty() && run.unit.is_units()).then(|| {
        let words = format!("Calls, not units: {}. What they hold back is shown in units, as these calls' share of the cost.", run.by_calls.join(", "));
        view! { <p class="help">{words}</p> }
    });
    let (beyond, asked) = if run.unit.is_units() { ("Units held back", "Units") } else { ("Calls held back", "Calls") };
    let lead = lead(had, &run);
    let (is_keys, is_mixed) = (run.keys == run.count, run.keys > 0 && run.keys < run.count);
    let (caption, head) = match (is_mixed, is_keys) {
        (true, _) => ("Workspaces and keys that would have been limited, the most held back first", "Workspace or key"),
        (false, true) => ("Keys that would have been limited, the most held back first", "Key"),
        (false, false) => ("Workspaces that would have been limited, the most held back first", "Workspace"),
    };
    let rows = run
        .limited
        .iter()
        .map(|r| {
            view! {
                <tr>
                    <th scope="row">{name(r, is_mixed)}{folded(vec![(2, asked, thousands(r.units).into_any())])}</th>
                    <td class="num">{thousands(r.windows)}</td>
                    <td class="num">{thousands(r.beyond)}</td>
                    <td class="num col-2">{thousands(r.units)}</td>
                    <td class="num">{share(r.beyond.min(r.units), r.units)}</td>
                </tr>
            }
        })
        .collect_view();
    let table = (run.count > 0).then(|| {
        view! {
            <Table caption small=true>
                <thead><tr>
                    <th scope="col">{head}</th>
                    <th scope="col" class="num">"Times"</th>
                    <th scope="col" class="num" aria-sort="descending">{beyond}</th>
                    <th scope="col" class="num col-2">{asked}</th>
                    <th scope="col" class="num">"Share"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </Table>
        }
    });
    view! {
        <section id="try" aria-labelledby="h-try">
            <div class="section-head"><h2 id="h-try">"Who would be limited?"</h2><p>{lead}</p></div>
            <div class="stack-sm">{cannot}{notes}{table}{of_calls}{rolling}{minutes}</div>
        </section>
    }
    .into_any()
}

/// How many would have been held back, and whom nothing is said of.
fn lead(had: &str, run: &DryRun) -> String {
    if run.tried.is_empty() && !run.not_tried.is_empty() {
        return "None of these limits can be tried.".to_owned();
    }
    let held = [(run.count.saturating_sub(run.keys), "workspace", "workspaces"), (run.keys, "key", "keys")];
    let held: Vec<String> = held.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| count(n, one, many)).collect();
    let said = match (held.is_empty(), run.not_tried.is_empty()) {
        (true, true) => format!("{had} since the first of last month, nobody would have been held back."),
        (true, false) => format!("{had} since the first of last month, nobody would have been held back by the limits that can be tried."),
        (false, _) => format!("{had} since the first of last month, it would have held back {}.", held.join(" and ")),
    };
    let left_out = match run.left_out {
        0 => String::new(),
        1 => format!(" 1 key with limits of its own is left out, with {}.", count(run.left_out_units, "unit", "units")),
        keys => format!(" {} keys with limits of their own are left out, with {}.", thousands(keys), count(run.left_out_units, "unit", "units")),
    };
    said + &left_out
}

/// A key's name leads to its page; among workspaces it is said that it is one.
fn name(limited: &WouldBeLimited, is_mixed: bool) -> AnyView {
    let name = limited.name.clone();
    let Some(key) = limited.key else { return name.into_any() };
    let kind = is_mixed.then(|| view! { " "<span class="faint">"key"</span> });
    view! { <a class="row-link" href=format!("/keys/{key}")>{name}</a>{kind} }.into_any()
}
