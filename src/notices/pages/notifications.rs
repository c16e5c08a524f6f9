//! `/settings/notifications`: which mails one gets, rules on errors, and what was told last.

use crate::{
    accounts::components::{Setting, SettingsFrame, loaded},
    keys::components::LeakChoice,
    notices::{
        api::{AddAlertRule, RemoveAlertRule, SaveNotices, my_notices},
        model::{AlertRule, NoticePage, NoticeSettings, RuleOffer, ToldNotice},
    },
    ui::{
        ActForm, Button, CheckField, CheckGroup, Choice, Dot, ErrorSummary, Form, Icon, MoreFields, Section, SelectField, Size, TextField, Timeline,
        TimelineItem,
    },
    usage::model::KeyChoice,
    values::{Outcome, OutcomeGroup},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn NotificationsPage() -> impl IntoView {
    let parameters = use_query_map();
    let offer = move || parameters.with_untracked(|map| RuleOffer::read(|name| map.get(name)));
    view! { <SettingsFrame page=Setting::Notifications>{loaded(move || my_notices(offer()), sections)}</SettingsFrame> }
}

fn sections(page: NoticePage) -> AnyView {
    let lead = format!("We send emails to {}, each one once.", page.email);
    view! {
        <Section id="mails" title="Emails" lead>{settings(page.settings)}</Section>
        <Section id="rules" title="Alert rules" lead="Get an email when too many calls don't pass. After an email, a rule is silent for a while.">
            {rules(page.rules)}
            {new_rule(page.keys, page.offer, page.has_more_keys)}
        </Section>
        <Section id="leaks" title="Leaked keys" lead="Applies to all keys in your workspace."><LeakChoice disables=page.disables_leaked/></Section>
        <Section id="told" title="Sent last">{told(page.told)}</Section>
    }
    .into_any()
}

fn settings(settings: NoticeSettings) -> AnyView {
    let thresholds = settings.thresholds_text();
    view! {
        <Form action=SaveNotices::PATH class="stack form-narrow" version=settings.version()>
            <CheckField label="A limit is nearly used up" name="limits" checked=settings.limits help="For limits of a key and limits that all your keys share, of an hour or longer. One email per mark in each window."/>
            <TextField label="At per cent" name="thresholds" value=thresholds inputmode="numeric" autocomplete="off" maxlength=60 help="One to five whole numbers from 1 to 100, such as 80, 100."/>
            <CheckField label="A key will expire" name="expiry" checked=settings.expiry help="30 days, 7 days and 1 day before."/>
            <div><Button>"Save"</Button></div>
        </Form>
    }
    .into_any()
}

fn rules(rules: Vec<AlertRule>) -> AnyView {
    if rules.is_empty() {
        return view! { <p class="muted">"No rules yet. Add one to get an email when too many calls fail."</p> }.into_any();
    }
    let items = rules
        .into_iter()
        .map(|rule| {
            let label = format!("Remove: {}", rule.words);
            let last = rule.fired.map_or_else(|| "no email yet".to_owned(), |when| format!("last email {when}"));
            view! {
                <li>
                    <div class="cell-2"><span class="strong">{rule.words}</span><span>{format!("{}; {last}", rule.quiet)}</span></div>
                    <ActForm action=RemoveAlertRule::PATH words="Remove" size=Size::Small label hidden=vec![("id", rule.id.to_string())]/>
                </li>
            }
        })
        .collect_view();
    view! { <ErrorSummary action=RemoveAlertRule::PATH/><div class="card"><ul class="list">{items}</ul></div> }.into_any()
}

fn new_rule(keys: Vec<KeyChoice>, offer: RuleOffer, has_more: bool) -> AnyView {
    let RuleOffer { key, api, route, code } = offer;
    let mut apis: Vec<(String, String)> = keys.iter().map(|k| (k.api_slug.clone(), k.api_name.clone())).collect();
    apis.extend(api.clone().filter(|slug| apis.iter().all(|(known, _)| known != slug)).map(|slug| (slug.clone(), slug)));
    apis.sort();
    apis.dedup();
    let apis = std::iter::once((String::new(), "All APIs".to_owned())).chain(apis).collect::<Vec<_>>();
    let help = has_more
        .then(|| format!("Shows your {} most recently used or created keys. For another key, choose it on Errors and press New alert rule.", keys.len()));
    let keys = std::iter::once((String::new(), "All keys".to_owned())).chain(keys.into_iter().map(|k| (k.id.to_string(), k.name))).collect::<Vec<_>>();
    // Calls without a known key belong to nobody's workspace.
    let codes = Outcome::ALL.into_iter().filter(|code| code.group() != OutcomeGroup::Passed && !matches!(code, Outcome::Malformed | Outcome::Unknown));
    let codes: Vec<Choice> = codes.map(|code| Choice::new(code.as_str(), code.as_str())).collect();
    let is_set = api.is_some() || route.is_some() || code.is_some();
    let begins = [("api", ""), ("route", ""), ("percent", ""), ("quiet_minutes", "60"), ("codes", ""), ("codes[]", "")];
    let begins = begins.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let chosen: Vec<String> = code.into_iter().collect();
    view! {
        <Form action=AddAlertRule::PATH class="stack form-narrow" label="New alert rule">
            <SelectField label="Key" name="key" options=keys nostrip:value=key nostrip:help=help/>
            <div class="sentence">
                <TextField label="More than" name="more_than" value="10" inputmode="numeric" autocomplete="off" maxlength=10 help="calls"/>
                <TextField label="In" name="minutes" value="15" inputmode="numeric" autocomplete="off" maxlength=4 help="minutes, up to 1,440"/>
            </div>
            <MoreFields words="More: API, route, codes, share, silence" begins is_set>
                <SelectField label="API" name="api" options=apis nostrip:value=api/>
                <TextField label="Route" name="route" nostrip:value=route autocomplete="off" maxlength=800 mono=true help="As shown on Usage, such as GET /orders. Empty for every route."/>
                <div class="sentence">
                    <TextField label="And more than" name="percent" inputmode="numeric" autocomplete="off" maxlength=2 help="% of all calls, or empty"/>
                    <TextField label="Then silent for" name="quiet_minutes" value="60" inputmode="numeric" autocomplete="off" maxlength=5 help="minutes, up to 10,080"/>
                </div>
                <CheckGroup label="Answered with" name="codes[]" choices=codes values=chosen help="If you choose none, every code of calls that did not pass."/>
            </MoreFields>
            <div><Button>"Add rule"</Button></div>
        </Form>
    }
    .into_any()
}

fn told(told: Vec<ToldNotice>) -> AnyView {
    if told.is_empty() {
        return view! { <p class="muted">"Nothing yet. Emails about limits, expiry and leaked keys are listed here."</p> }.into_any();
    }
    let items = told
        .into_iter()
        .map(|notice| {
            let href = notice.key.map_or_else(|| "/usage".to_owned(), |key| format!("/keys/{key}"));
            view! { <TimelineItem dot=Dot::Icon(Icon::Mail) when=notice.when iso=notice.at><a class="row-link" href=href>{notice.words}</a></TimelineItem> }
        })
        .collect_view();
    view! { <Timeline>{items}</Timeline> }.into_any()
}
