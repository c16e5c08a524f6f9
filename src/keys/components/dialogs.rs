//! Decisions about one key: revoke it for good, rotate its secret, drop an old one, take permissions away that it did not use.

use super::SaidTime;
use crate::{
    keys::{
        api::{DropSecret, NarrowKey, RevokeKey, RotateKey},
        model::{KeyDetail, KeyState, SecretUser, SecretView},
    },
    ui::{
        Button, Choice, CodeTag, Dialog, DialogBody, DialogFoot, Fact, Facts, Form, Gate, Icon, Look, RadioGroup, TextField,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

/// A dialog whose form decides something, with Cancel beside the act.
#[component]
pub fn DecideDialog(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    #[prop(optional)] lead: Option<AnyView>,
    #[prop(optional)] gate: Option<Gate>,
    /// Where Cancel leads.
    #[prop(into)]
    path: String,
    /// The parameters of that page; a form of a button sends none that stand in its address.
    #[prop(optional)]
    kept: Vec<(&'static str, String)>,
    #[prop(into)] action: String,
    hidden: Vec<(&'static str, String)>,
    act: &'static str,
    #[prop(default = Look::Primary)] look: Look,
    #[prop(optional)] icon: Option<Icon>,
    children: Children,
) -> impl IntoView {
    let kept = kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <Dialog id title nostrip:gate=gate nostrip:lead=lead close=path.clone()>
            <form method="get" action=path id="back">{kept}</form>
            <Form action hidden>
                <DialogBody>{children()}</DialogBody>
                <DialogFoot>
                    <Button look nostrip:icon=icon>{act}</Button>
                    <button class="btn btn-secondary" form="back" autofocus=true>"Cancel"</button>
                </DialogFoot>
            </Form>
        </Dialog>
    }
    .into_any()
}

/// Says in numbers what ends, and asks for the name.
#[component]
pub fn RevokeDialog(detail: KeyDetail, #[prop(into)] path: String) -> impl IntoView {
    let name = detail.key.name;
    let used = match (detail.today.total(), detail.calls.total()) {
        (_, 0) => "No call used this key in the last 30 days.".to_owned(),
        (0, all) => format!("{} used this key in the last 30 days, none today.", count(all, "call", "calls")),
        (today, all) => format!("{} used this key in the last 30 days, {} of them today.", count(all, "call", "calls"), crate::ui::number::thousands(today)),
    };
    let secrets = count(detail.secrets.len() as u64, "secret ends", "secrets end");
    let lead = view! { {used}" "{secrets}", and every further call is answered REVOKED. This can't be undone." }.into_any();
    view! {
        <DecideDialog id="revoke" title=format!("Revoke {name}") gate=Gate::Refused lead path action=RevokeKey::PATH hidden=vec![("id", detail.key.id.to_string())] act="Revoke" look=Look::Danger>
            <TextField label=format!("Type {name} to confirm") name="typed" autocomplete="off" required=true autofocus=true/>
            <TextField label="Reason" name="reason" help="Optional. Shown in the history." autocomplete="off" maxlength=200/>
        </DecideDialog>
    }
    .into_any()
}

/// Which of its two dialogs a key can have now: an enabled one is disabled, a disabled one enabled.
pub fn switches(dialog: &str, state: KeyState) -> bool {
    matches!((dialog, state), ("disable", KeyState::Active) | ("enable", KeyState::Disabled))
}

/// Disables the key, or enables it again, with a reason; says how many calls that is about. `action` is the path of the server function that
/// does it, `path` and `kept` as of `DecideDialog`.
#[component]
pub fn SwitchDialog(detail: KeyDetail, #[prop(into)] path: String, #[prop(optional)] kept: Vec<(&'static str, String)>, action: &'static str) -> impl IntoView {
    let calls = count(detail.today.total(), "call", "calls");
    let (id, act, lead) = match (detail.key.state, detail.today.total()) {
        (KeyState::Disabled, _) if !detail.leaks.is_empty() => {
            ("enable", "Enable", "Its secret was found in the open, so others can call with it as soon as the key is enabled. Rotate it first.".to_owned())
        }
        (KeyState::Disabled, 0) => ("enable", "Enable", "No call came today. From now on calls can pass again.".to_owned()),
        (KeyState::Disabled, _) => ("enable", "Enable", format!("{calls} came today. From now on they can pass again.")),
        (_, 0) => ("disable", "Disable", "No call came today. Every call is answered DISABLED until the key is enabled again.".to_owned()),
        (..) => ("disable", "Disable", format!("{calls} came today. Every further one is answered DISABLED until the key is enabled again.")),
    };
    view! {
        <DecideDialog id title=format!("{act} {}", detail.key.name) lead=lead.into_any() path kept action hidden=vec![("id", detail.key.id.to_string())] act>
            <TextField label="Reason" name="reason" help="Optional. Shown in the history." autocomplete="off" maxlength=200 autofocus=true/>
        </DecideDialog>
    }
    .into_any()
}

/// A new secret, and how long the old one lives on.
#[component]
pub fn RotateDialog(detail: KeyDetail, #[prop(into)] path: String) -> impl IntoView {
    let choices = vec![
        Choice::new("first_use", "Until the new one is first used")
            .with_help("It ends at the first call that passes with the new one, on other servers within seconds."),
        Choice::new("60", "For a minute"),
        Choice::new("3600", "For an hour"),
        Choice::new("86400", "For a day"),
        Choice::new("date", "Until the day below"),
        Choice::new("0", "Not at all").with_help("Programs that still send it, or an older one, are refused at once."),
    ];
    let until = format!("It ends at the start of this day ({}).", detail.zone);
    let lead = "The key gets a new secret. Its id, limits, history and usage stay the same.".into_any();
    view! {
        <DecideDialog id="rotate" title=format!("Rotate {}", detail.key.name) lead path action=RotateKey::PATH hidden=vec![("id", detail.key.id.to_string()), ("once", detail.once)] act="Rotate" icon=Icon::Rotate>
            <RadioGroup label="Accept the old secret" name="grace" choices value="86400" autofocus=true/>
            <div class="when-date"><TextField label="Day" name="until" kind="date" help=until/></div>
        </DecideDialog>
    }
    .into_any()
}

/// Ends an old secret before its time; says who still sends it.
#[component]
pub fn DropDialog(secret: SecretView, #[prop(into)] key: String, #[prop(into)] path: String) -> impl IntoView {
    let lead = format!("{}Calls with it are answered EXPIRED from then on. This can't be undone.", sent_lately(&secret));
    let (id, title) = (secret.id.to_string(), format!("Drop {}…", secret.start));
    // Of one that very many addresses sent this is known for less long.
    let since = secret.calls.as_ref().and_then(|calls| calls.users_since.as_ref()).map_or_else(|| "the rotation".to_owned(), |since| since.words.clone());
    let term = format!("Sent since {since} from");
    let from = sent_from(&secret).map(|from| view! { <Fact term>{from}</Fact> });
    let last = match secret.last_use {
        Some(last) => view! { <SaidTime said=last.at/>" "<span class="muted">{last.by}</span> }.into_any(),
        None => "never".into_any(),
    };
    view! {
        <DecideDialog id="drop" title gate=Gate::Refused lead=lead.into_any() path action=DropSecret::PATH hidden=vec![("id", key), ("secret", id)] act="Drop" look=Look::Danger>
            <Facts><Fact term="Last used">{last}</Fact>{from}</Facts>
        </DecideDialog>
    }
    .into_any()
}

/// "12 calls came with it in the last 24 hours, 3 of them in the last hour. "
fn sent_lately(secret: &SecretView) -> String {
    let Some(calls) = &secret.calls else { return String::new() };
    match (calls.last_day().total(), calls.last_hour().total()) {
        (0, _) => "No call came with it in the last 24 hours. ".to_owned(),
        (day, 0) => format!("{} came with it in the last 24 hours, none in the last hour. ", count(day, "call", "calls")),
        (day, hour) => format!("{} came with it in the last 24 hours, {} of them in the last hour. ", count(day, "call", "calls"), thousands(hour)),
    }
}

/// "203.0.113.7 (5 calls), 203.0.113.8 (1 call) and 2 other addresses", "… and others" where not all are known; none: nobody told an address.
fn sent_from(secret: &SecretView) -> Option<String> {
    const NAMED: usize = 3;
    let users = &secret.calls.as_ref()?.users;
    let known: Vec<&SecretUser> = users.iter().filter(|user| !user.address.is_empty()).collect();
    let name = |user: &&SecretUser| format!("{} ({})", user.address, count(user.calls.total(), "call", "calls"));
    let named = known.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ");
    let others = |all: usize| count((all - NAMED) as u64, "other address", "other addresses");
    match (known.len(), users.iter().any(|user| user.is_rest)) {
        (0, _) => None,
        (1..=NAMED, false) => Some(named),
        (1..=NAMED, true) => Some(format!("{named} and others")),
        (all, false) => Some(format!("{named} and {}", others(all))),
        (all, true) => Some(format!("{named}, {} and others", others(all))),
    }
}

/// Takes away what no call needed in the last 30 days; says what stays.
#[component]
pub fn NarrowDialog(detail: KeyDetail, #[prop(into)] path: String) -> impl IntoView {
    if !detail.can_narrow() {
        return ().into_any();
    }
    let (idle, kept): (Vec<_>, Vec<_>) = detail.uses.into_iter().partition(|used| used.can_be_taken());
    let since = &detail.counted_since.words;
    let lead = format!("No call has needed these since {since}. Calls that need one are then answered FORBIDDEN. You can give it back later.").into_any();
    let tags = |of: &[crate::keys::model::PermissionUse]| of.iter().map(|used| view! { <CodeTag text=used.permission.to_string()/>" " }).collect_view();
    let keep = kept.iter().map(|used| view! { <input type="hidden" name="keep[]" value=used.permission.to_string()/> }).collect_view();
    let stays = if kept.is_empty() { view! { <span class="faint">"nothing"</span> }.into_any() } else { tags(&kept).into_any() };
    view! {
        <DecideDialog id="narrow" title=format!("Take permissions from {}", detail.key.name) lead path action=NarrowKey::PATH hidden=vec![("id", detail.key.id.to_string())] act="Take away">
            {keep}
            <Facts><Fact term="Taken">{tags(&idle)}</Fact><Fact term="Stays">{stays}</Fact></Facts>
        </DecideDialog>
    }
    .into_any()
}
