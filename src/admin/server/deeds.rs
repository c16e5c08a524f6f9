//! Events in words: the history of an account, and what operators did to others.

use super::words::{local, moment};
use crate::{
    accounts::Caller,
    activity::server::{self as activity, Event},
    admin::model::{Deed, Mark},
    error::AppError,
    keys::model::{Act, ApiRoute},
    platform::{Ctx, LocalTime},
    values::{AccountId, Permission, WorkspaceId, actor_words, permission_names as may},
};
use serde::Deserialize;
use serde_json::Value;

/// What was done by, to and around an account, newest first.
pub async fn about_account(ctx: &Ctx, caller: &Caller, account: AccountId, workspace: WorkspaceId, most: i64) -> Result<Vec<Deed>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(deeds(activity::list_events_about(&ctx.db, account, workspace, most).await?, &local(ctx, caller)))
}

/// What operators did to what is not their own, newest first.
pub async fn of_operators(ctx: &Ctx, caller: &Caller, most: i64) -> Result<Vec<Deed>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(deeds(activity::list_interventions(&ctx.db, most).await?, &local(ctx, caller)))
}

fn deeds(events: Vec<Event>, local: &LocalTime) -> Vec<Deed> {
    events
        .into_iter()
        .map(|event| {
            let (words, mark) = saying(&event);
            let actor = match event.behalf {
                Some(account) => format!("{}, acting as {account},", event.actor),
                None if event.is_account => event.actor,
                None => actor_words(&event.actor).to_owned(),
            };
            Deed { at: moment(local, event.at), actor, words, reason: event.reason, mark }
        })
        .collect()
}

/// The sentence after the actor's name, and its mark. A kind that is not known here is said as it is.
fn saying(event: &Event) -> (String, Mark) {
    let subject = event.subject_name.as_deref().unwrap_or("something deleted since");
    if let Some(act) = event.kind.strip_prefix("key.") {
        return of_key(act, subject);
    }
    let (words, mark) = match event.kind.as_str() {
        "account.signed_up" => ("signed up".to_owned(), Mark::Person),
        "account.sign_up_repeated" => ("signed up with this address again; nothing changed".to_owned(), Mark::Person),
        "account.created" => (format!("created the account of {subject}"), Mark::Person),
        "account.operator_link" => (format!("made a sign-in link for {subject}"), Mark::Person),
        "account.role_granted" => (format!("made {subject} an operator"), Mark::Person),
        "account.verified" => ("confirmed the email".to_owned(), Mark::Person),
        "account.verification_resent" => ("asked for the confirmation email again".to_owned(), Mark::Person),
        "account.signed_in" => ("signed in".to_owned(), Mark::Person),
        "account.signed_out" => ("signed out".to_owned(), Mark::Person),
        "account.reset_asked" => ("asked for a link to set a new password".to_owned(), Mark::Person),
        "account.reset_sent" => (format!("sent {subject} a link to set a new password"), Mark::Person),
        "account.password_reset" => ("set a new password by a link".to_owned(), Mark::Person),
        "account.password_changed" => ("changed the password".to_owned(), Mark::Person),
        "factor.totp_added" => ("set up an authenticator app".to_owned(), Mark::Person),
        "factor.totp_replaced" => ("replaced the authenticator app".to_owned(), Mark::Person),
        "factor.totp_removed" => ("removed the authenticator app".to_owned(), Mark::Person),
        "factor.passkey_added" => ("added a passkey".to_owned(), Mark::Person),
        "factor.passkey_renamed" => ("renamed a passkey".to_owned(), Mark::Person),
        "factor.passkey_removed" => ("removed a passkey".to_owned(), Mark::Person),
        "factor.passkey_copied" => ("used a passkey whose counter went back; it was refused".to_owned(), Mark::Closed),
        "factor.codes_made" => ("made new recovery codes".to_owned(), Mark::Person),
        "factor.code_used" => ("used a recovery code".to_owned(), Mark::Person),
        "factor.reset_asked" => (format!("asked to reset the second factors of {subject}"), Mark::Person),
        "factor.reset_stopped" => ("stopped the reset of the second factors".to_owned(), Mark::Person),
        "factor.reset" => (format!("reset the second factors of {subject}"), Mark::Person),
        "sign_in.linked" => (format!("linked a sign-in at {}", named(event)), Mark::Person),
        "sign_in.unlinked" => (format!("unlinked the sign-in at {}", named(event)), Mark::Person),
        "session.proven" => ("proved again who it is".to_owned(), Mark::Person),
        "invite.created" => ("invited somebody to sign up".to_owned(), Mark::Person),
        "invite.sent_again" => ("sent an invitation again".to_owned(), Mark::Person),
        "invite.cancelled" => ("cancelled an invitation".to_owned(), Mark::Person),
        "master_key.rotated" => ("put a new master key in the place of the old one".to_owned(), Mark::Person),
        "master_key.dropped" => ("gave up an old master key".to_owned(), Mark::Person),
        "admin_pin.set" => ("set the admin PIN".to_owned(), Mark::Person),
        "admin_pin.cleared" => ("took the admin PIN away".to_owned(), Mark::Person),
        "admin_pin.proven" => ("gave the admin PIN".to_owned(), Mark::Person),
        "admin_pin.refused" => ("gave a wrong admin PIN".to_owned(), Mark::Person),
        "account.picture_set" => ("changed the picture".to_owned(), Mark::Person),
        "account.picture_removed" => ("took the picture away".to_owned(), Mark::Person),
        "account.profile_changed" => ("changed the profile".to_owned(), Mark::Person),
        "account.email_change_asked" => ("asked for another address".to_owned(), Mark::Person),
        "account.email_change_cancelled" => ("kept the address after all".to_owned(), Mark::Person),
        "account.email_changed" => ("changed the address".to_owned(), Mark::Person),
        "account.email_restored" => ("took the change of address back".to_owned(), Mark::Person),
        "account.export_asked" => ("asked for an export of all data".to_owned(), Mark::Person),
        "account.deactivated" => ("deactivated the account".to_owned(), Mark::Closed),
        "account.deletion_asked" => ("asked to delete the account".to_owned(), Mark::Person),
        "account.deleted" => ("deleted the account".to_owned(), Mark::Closed),
        "account.returned" => ("brought the account back".to_owned(), Mark::Opened),
        "account.erased" => ("erased an account whose time was over".to_owned(), Mark::Ended),
        "account.closed" => (format!("took the password and the roles of {subject} away"), Mark::Closed),
        "account.disabled" => (format!("disabled {subject}"), Mark::Closed),
        "acting.started" => (format!("began to act as {subject}"), Mark::Person),
        "acting.stopped" => (format!("stopped acting as {subject}"), Mark::Person),
        "account.enabled" => (format!("enabled {subject}"), Mark::Opened),
        "account.banned" => (format!("banned {subject}"), Mark::Closed),
        "account.unbanned" => (format!("lifted the ban of {subject}"), Mark::Opened),
        "account.ban_ended" => (format!("let the ban of {subject} end"), Mark::Opened),
        "account.locked" => (format!("locked {subject} after wrong passwords"), Mark::Closed),
        "account.password_stopped" => (format!("stopped the password of {subject} after 100 wrong tries"), Mark::Closed),
        "account.unlocked" => (format!("unlocked {subject}"), Mark::Opened),
        "account.new_device" => ("signed in on a new device".to_owned(), Mark::Person),
        "account.not_me" => ("said that a sign-in wasn't theirs; everything was signed out".to_owned(), Mark::Closed),
        "program.approved" => ("approved a program".to_owned(), Mark::Person),
        "program.denied" => ("denied a program".to_owned(), Mark::Person),
        "program.signed_in" => ("signed a program in".to_owned(), Mark::Person),
        "program.signed_out" => ("signed a program out".to_owned(), Mark::Person),
        "program.token_reused" => ("showed an old token of a program again; the program was signed out".to_owned(), Mark::Closed),
        "session_policy.changed" => (format!("changed how long sessions and keys of the {} last", named(event)), Mark::Other),
        "field.created" => (format!("made the field {}", named(event)), Mark::Other),
        "field.changed" => (format!("changed the field {}", named(event)), Mark::Other),
        "field.deleted" => (format!("deleted the field {}", named(event)), Mark::Ended),
        "ban.added" => (format!("banned {}", named(event)), Mark::Closed),
        "ban.lifted" => (format!("lifted the ban of {}", named(event)), Mark::Opened),
        "ban.ended" => (format!("let the ban of {} end", named(event)), Mark::Opened),
        "session.oldest_ended" => ("was signed in on too many devices; the oldest one was signed out".to_owned(), Mark::Person),
        "session.ended" => (format!("ended a session of {subject}"), Mark::Person),
        "session.all_ended" => (format!("ended the sessions of {subject}"), Mark::Person),
        "api.created" => (format!("described the API {subject}"), Mark::Api),
        "api.limited" => (format!("set the limits of the API {subject}"), Mark::Api),
        "plan.created" => (format!("described the plan {}", named(event)), Mark::Plan),
        "plan.changed" => (format!("changed the plan {}", named(event)), Mark::Plan),
        "plan.deleted" => (format!("deleted the plan {}", named(event)), Mark::Plan),
        "workspace.plan_assigned" => match event.data.get("to").and_then(|to| to.as_str()) {
            Some(plan) => (format!("gave {} the plan {plan}", named(event)), Mark::Plan),
            None => (format!("took the plan of {} away", named(event)), Mark::Plan),
        },
        "workspace.grouped" | "workspace.ungrouped" => {
            let group = event.data.get("group").and_then(|group| group.as_str()).unwrap_or("that is gone now");
            let (verb, into) = if event.kind == "workspace.grouped" { ("put", "into") } else { ("took", "out of") };
            (format!("{verb} {} {into} the group {group}", named(event)), Mark::Plan)
        }
        "group.created" => (format!("described the group {}", named(event)), Mark::Plan),
        "group.changed" => (format!("changed the group {}", named(event)), Mark::Plan),
        "group.deleted" => (format!("deleted the group {}", named(event)), Mark::Plan),
        "workspace.granted" => (format!("set the grants of {}", named(event)), Mark::Plan),
        "workspace.limited" => (format!("set the limits of {}", named(event)), Mark::Plan),
        "block.added" | "block.extended" if event.data.get("per_second").is_some_and(|n| n.is_u64()) => {
            (format!("slowed {} to {} a second", named(event), event.data["per_second"]), Mark::Closed)
        }
        "block.added" => (format!("blocked {}", named(event)), Mark::Closed),
        "block.extended" => (format!("blocked {} for longer", named(event)), Mark::Closed),
        "block.lifted" => (format!("lifted the block of {}", named(event)), Mark::Opened),
        "block.noticed" => (format!("noticed {}", named(event)), Mark::Other),
        "block.rule_changed" => (format!("set the rule “{}”", named(event)), Mark::Other),
        "block.exempted" => ("set the networks that are never blocked".to_owned(), Mark::Other),
        "api.bundled" => (format!("described a bundle of the API {subject}"), Mark::Api),
        "api.unbundled" => (format!("deleted a bundle of the API {subject}"), Mark::Api),
        "api.changed" => (format!("changed the API {subject}"), Mark::Api),
        "api.routed" => (routed(event, subject), Mark::Api),
        "account.notices_changed" => ("changed which emails come".to_owned(), Mark::Person),
        "alert_rule.added" => ("made a rule on errors".to_owned(), Mark::Other),
        "alert_rule.changed" => ("changed a rule on errors".to_owned(), Mark::Other),
        "alert_rule.removed" => ("removed a rule on errors".to_owned(), Mark::Other),
        "export.created" => ("asked for a file of an export".to_owned(), Mark::Other),
        "export.deleted" => ("deleted the file of an export".to_owned(), Mark::Other),
        "leaks.signers_changed" => ("set who may report leaked keys".to_owned(), Mark::Other),
        "workspace.leak_choice_changed" => ("set what becomes of leaked keys".to_owned(), Mark::Key),
        "mail.tested" => (format!("sent themself a test of {}", event.data.get("kind").and_then(|k| k.as_str()).unwrap_or("a mail")), Mark::Other),
        "job.retried" => (format!("started the job {} again", event.data.get("kind").and_then(|k| k.as_str()).unwrap_or("that is gone now")), Mark::Job),
        other => (other.replace(['.', '_'], " "), Mark::Other),
    };
    (words, mark)
}

/// The name that the event itself keeps, of what has no name in `subject_name`.
fn named(event: &Event) -> &str {
    event.data.get("name").and_then(|name| name.as_str()).unwrap_or("that is gone now")
}

/// One route that was added, removed or changed is named, and what of it changed.
fn routed(event: &Event, api: &str) -> String {
    let of = |name: &str| event.data.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match (of("added"), of("removed"), of("changed")) {
        ([Value::String(route)], [], []) => format!("added the route {route} to the API {api}"),
        ([], [Value::String(route)], []) => format!("removed the route {route} of the API {api}"),
        ([], [], [change]) => match (ApiRoute::deserialize(&change["from"]), ApiRoute::deserialize(&change["to"])) {
            (Ok(from), Ok(to)) => format!("changed the route {} of the API {api}: {}", from.label(), differences(&from, &to)),
            _ => format!("changed the routes of the API {api}"),
        },
        _ => format!("changed the routes of the API {api}"),
    }
}

/// What is said of a part of a route.
type Part = (&'static str, fn(&ApiRoute) -> String);

/// "permission none, was orders:write; cost 1, was 5".
fn differences(from: &ApiRoute, to: &ApiRoute) -> String {
    let parts: [Part; 5] = [
        ("route", ApiRoute::label),
        ("permission", |route| route.permission.as_ref().map_or("none", Permission::as_str).to_owned()),
        ("cost", |route| route.cost.to_string()),
        ("quota", |route| String::from(if route.is_counted { "counted" } else { "none" })),
        ("description", |route| format!("“{}”", route.description)),
    ];
    let both = parts.map(|(name, of)| (name, of(from), of(to)));
    both.iter().filter(|(_, was, is)| was != is).map(|(name, was, is)| format!("{name} {is}, was {was}")).collect::<Vec<_>>().join("; ")
}

fn of_key(act: &str, key: &str) -> (String, Mark) {
    let is = |known: Act| known.as_str() == act;
    match () {
        () if is(Act::Created) => (format!("created the key {key}"), Mark::Key),
        () if is(Act::Renamed) => (format!("renamed a key to {key}"), Mark::Key),
        () if is(Act::Expiry) => (format!("set when the key {key} expires"), Mark::Key),
        () if is(Act::Permitted) => (format!("set the permissions of the key {key}"), Mark::Key),
        () if is(Act::Bundled) => (format!("set the bundles of the key {key}"), Mark::Key),
        () if is(Act::Routed) => (format!("set which routes the key {key} may call"), Mark::Key),
        () if is(Act::Planned) => (format!("set the plan of the key {key}"), Mark::Key),
        () if is(Act::Limited) => (format!("set the limit of the key {key}"), Mark::Key),
        () if is(Act::Credited) => (format!("added credits to the key {key}"), Mark::Key),
        () if is(Act::Disabled) => (format!("disabled the key {key}"), Mark::Closed),
        () if is(Act::Enabled) => (format!("enabled the key {key}"), Mark::Opened),
        () if is(Act::Revoked) => (format!("revoked the key {key}"), Mark::Ended),
        () if is(Act::Rotated) => (format!("rotated the secret of the key {key}"), Mark::Key),
        () if is(Act::Described) => (format!("said who uses the key {key}, or its metadata"), Mark::Key),
        () if is(Act::Addressed) => (format!("set from where the key {key} may be used"), Mark::Key),
        () if is(Act::Paged) => (format!("set which web pages may use the key {key}"), Mark::Key),
        () if is(Act::Signed) => (format!("set whether calls with the key {key} are signed"), Mark::Key),
        () if is(Act::Tagged) => (format!("set the tags of the key {key}"), Mark::Key),
        () if is(Act::Extended) => (format!("moved the end of an old secret of the key {key}"), Mark::Key),
        () if is(Act::Leaked) => (format!("reported a leak of the key {key}"), Mark::Closed),
        () if is(Act::Cleared) => (format!("cleared the report of a leak of the key {key}"), Mark::Opened),
        () if is(Act::Expired) => (format!("no longer accepts the key {key}: it expired"), Mark::Ended),
        () if is(Act::SecretEnded) => (format!("no longer accepts an old secret of the key {key}"), Mark::Key),
        () if act == "upgraded" => (format!("took over the imported secret of the key {key} at its first use"), Mark::Key),
        () if is(Act::Dropped) => (format!("dropped an old secret of the key {key}"), Mark::Key),
        () => (format!("{} the key {key}", act.replace('_', " ")), Mark::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn event(kind: &str) -> Event {
        Event {
            at: datetime!(2026-11-20 12:00 UTC),
            kind: kind.to_owned(),
            actor: "Jon".to_owned(),
            is_account: true,
            subject_name: Some("Ilse".to_owned()),
            behalf: None,
            reason: String::new(),
            data: serde_json::json!({ "kind": "accounts.send_reset" }),
        }
    }

    #[test]
    fn events_are_said_as_sentences() {
        for (kind, words, mark) in [
            ("account.disabled", "disabled Ilse", Mark::Closed),
            ("key.revoked", "revoked the key Ilse", Mark::Ended),
            ("job.retried", "started the job accounts.send_reset again", Mark::Job),
            ("board.card_moved", "board card moved", Mark::Other),
        ] {
            assert_eq!(saying(&event(kind)), (words.to_owned(), mark));
        }
    }

    #[test]
    fn one_route_is_named_with_what_changed() {
        let said = |data: Value| saying(&Event { data, ..event("api.routed") }).0;
        let changed = |from: Value, to: Value| said(serde_json::json!({ "added": [], "removed": [], "changed": [{ "from": from, "to": to }] }));
        let route = |pattern: &str, permission: Option<&str>, cost: u32, is_counted: bool| {
            let permission = permission.and_then(|name| name.parse().ok());
            serde_json::json!(ApiRoute { method: "GET".into(), pattern: pattern.into(), permission, cost, is_counted, description: String::new() })
        };
        for (to, words) in [
            (route("/orders", None, 1, true), "permission none, was orders:read; cost 1, was 5"),
            (route("/purchases", Some("orders:read"), 5, false), "route GET /purchases, was GET /orders; quota none, was counted"),
        ] {
            let from = route("/orders", Some("orders:read"), 5, true);
            assert_eq!(changed(from, to), format!("changed the route GET /orders of the API Ilse: {words}"));
        }
        let one = |added: &[&str], removed: &[&str]| said(serde_json::json!({ "added": added, "removed": removed, "changed": [] }));
        assert_eq!(one(&["GET /orders"], &[]), "added the route GET /orders to the API Ilse");
        assert_eq!(one(&[], &["GET /orders"]), "removed the route GET /orders of the API Ilse");
        // As events kept an edit before.
        assert_eq!(one(&["GET /orders"], &["GET /orders"]), "changed the routes of the API Ilse");
    }
}
