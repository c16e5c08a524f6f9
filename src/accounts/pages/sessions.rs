//! `/settings/sessions`: where somebody is signed in, programs included, and the way to end it, one by one or everywhere.

use crate::{
    accounts::{
        api::{EndSession, EndSessions, my_sessions},
        components::{Setting, SettingsFrame, loaded},
        model::{Acted, InForce, Lasting, SessionList, SessionView},
    },
    ui::{ActForm, Button, Form, Look, OutlineBadge, Section, Size, Table, UNSEEN, folded, heads, number},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn SessionsPage() -> impl IntoView {
    view! { <SettingsFrame page=Setting::Sessions>{loaded(my_sessions, list)}</SettingsFrame> }
}

fn list(it: SessionList) -> AnyView {
    let others = it.sessions.iter().filter(|s| !s.is_this_one).count();
    let end_others = (others > 0).then(|| {
        let words = format!("Sign out {}", number::count(others as u64, "other", "others"));
        view! { <Form action=EndSessions::PATH id="others" quiet=true><Button size=Size::Small>{words}</Button></Form> }
    });
    let rows = it.sessions.into_iter().map(row).collect_view();
    let operators = operators(it.acted);
    view! {
        <Section id="sessions" title="Sessions" lead="Browsers and programs signed in as you. Signing one out takes effect on its next click or call." wide=true>
            <div class="card">
                <Table caption="Where you are signed in, most recently used first" bare=true>
                    {heads(&[("Device", ""), ("Address", "col-2"), ("Last used", "col-2"), ("Sign out", UNSEEN)])}
                    <tbody>{rows}</tbody>
                </Table>
                <div class="card-foot">
                    <span>{lasting(&it.lasting)}</span>
                    <span class="push row">
                        {end_others}
                        <Form action=EndSessions::PATH id="everywhere" quiet=true hidden=vec![("this_one_too", "true".to_owned())]>
                            <Button size=Size::Small look=Look::DangerQuiet>"Sign out everywhere"</Button>
                        </Form>
                    </span>
                </div>
            </div>
        </Section>
        {operators}
    }
    .into_any()
}

/// When operators acted as this account.
fn operators(acted: Vec<Acted>) -> AnyView {
    let lead = "To help you, operators of this site can see your pages for up to an hour. We email you each time. Signing out everywhere ends it.";
    let list = if acted.is_empty() {
        view! { <p class="muted">"No operator has been in your account."</p> }.into_any()
    } else {
        let rows = acted.into_iter().map(operator).collect_view();
        view! {
            <div class="card">
                <Table caption="When operators were in your account, latest first" bare=true>
                    {heads(&[("Reason", ""), ("When", ""), ("For at most", "col-2")])}
                    <tbody>{rows}</tbody>
                </Table>
            </div>
        }
        .into_any()
    };
    view! { <Section id="operators" title="Operators in your account" lead=lead wide=true>{list}</Section> }.into_any()
}

fn operator(it: Acted) -> AnyView {
    let badge = it.is_running.then(|| view! { " "<OutlineBadge>"In it now"</OutlineBadge> });
    view! {
        <tr>
            <th scope="row">{it.reason}{badge}{folded(vec![(2, "For at most", format!("{} minutes", it.minutes).into_any())])}</th>
            <td class="nowrap">{it.began}</td>
            <td class="col-2 nowrap">{format!("{} minutes", it.minutes)}</td>
        </tr>
    }
    .into_any()
}

/// How long sessions last, and what says so where it is not the site's default.
fn lasting(it: &Lasting) -> String {
    let by = |it: &InForce| it.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
    let [idle, max, count, key] = [&it.idle, &it.max, &it.count, &it.key_max].map(by);
    let key = it.key_max.origin.as_ref().map(|_| format!(" A key lasts at most {}{key}.", it.key_max.value)).unwrap_or_default();
    format!(
        "A session ends after {} without use{idle}, and {} after sign-in in any case{max}. Sessions at once: {}. At the limit, a new one ends the oldest{count}.{key}",
        it.idle.value, it.max.value, it.count.value
    )
}

fn row(session: SessionView) -> AnyView {
    let label = format!("Sign out {}", session.device);
    let end = (!session.is_this_one).then(|| {
        view! {
            <ActForm action=EndSession::PATH words="Sign out" look=Look::Quiet size=Size::Small label=label hidden=vec![("id", session.id.to_string())]/>
        }
    });
    let program = session.is_program.then(|| view! { " "<OutlineBadge>"Program"</OutlineBadge> });
    let badge = session.is_this_one.then(|| view! { " "<OutlineBadge>"This device"</OutlineBadge> });
    let mut facts = vec![(2, "Address", view! { <code>{session.address.clone()}</code> }.into_any())];
    facts.extend(session.place.clone().map(|place| (2, "Place", place.into_any())));
    facts.push((2, "Last used", session.last_used.clone().into_any()));
    view! {
        <tr>
            <th scope="row"><div class="cell-2"><span>{session.device}{program}{badge}</span><span>{format!("since {}", session.since)}</span></div>{folded(facts)}</th>
            <td class="col-2">{whence(session.address, session.place)}</td>
            <td class="col-2 nowrap">{session.last_used}</td>
            <td class="num">{end}</td>
        </tr>
    }
    .into_any()
}

/// The address, and below it the place, if it is known.
fn whence(address: String, place: Option<String>) -> AnyView {
    let code = view! { <code>{address}</code> };
    match place {
        Some(place) => view! { <span class="cell-2">{code}<span>{place}</span></span> }.into_any(),
        None => code.into_any(),
    }
}
