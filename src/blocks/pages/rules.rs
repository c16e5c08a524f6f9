//! The rules that watch for abuse, each a form, and the networks that no block holds.

use crate::{
    blocks::{
        api::{SetExemptions, SetRule},
        model::{RuleSetting, exempt_version, lasting_words},
    },
    ui::{Button, CheckField, Form, SelectField, TextArea, TextField},
    values::AbuseRule,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// For how long a block may last, as forms offer it.
pub const LASTS: [(&str, &str); 4] = [("10m", "10 minutes"), ("1h", "1 hour"), ("1d", "24 hours"), ("7d", "7 days")];

pub fn section(rules: Vec<RuleSetting>, exempt: Vec<String>, proxies: Vec<String>) -> AnyView {
    let rules = rules.into_iter().map(card).collect_view();
    view! {
        <section aria-labelledby="h-rules">
            <div class="section-head">
                <h2 id="h-rules">"Abuse rules"</h2>
                <p>"When more happens than a rule allows, it sets a block or only tells operators. The servers divide the number among themselves; windows begin with the clock."</p>
            </div>
            <div class="cols-3 cols-level">{rules}</div>
        </section>
        {never(&exempt, &proxies)}
    }
    .into_any()
}

fn card(setting: RuleSetting) -> AnyView {
    let rule = setting.rule;
    let (most, help) = match rule {
        AbuseRule::UnknownKeys => ("Tries allowed", "Unknown or malformed secrets from one address (IPv6: one /64)."),
        AbuseRule::Refusals => ("Refusals allowed", "For a limit, a missing permission, a route or the wrong API."),
        AbuseRule::Spread => {
            ("Networks allowed", "IPv4 by /24, IPv6 by /48; at most 100. Keys inside apps are used from many networks: start with “Only tell”.")
        }
    };
    let then = [("refuse", "Refuse all calls"), ("slow", "Slow down"), ("tell", "Only tell")];
    let then = then.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let per_second = setting.then.and_then(|then| then.per_second()).unwrap_or(5).to_string();
    let present = lasting_words(setting.seconds);
    let mut lasts = LASTS.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    if lasts.iter().all(|(value, _)| *value != present) {
        lasts.push((present.clone(), present.clone())); // set over REST or on the command line
    }
    let heading = format!("h-{rule}");
    let labelled_by = heading.clone();
    view! {
        <section class="card" aria-labelledby=labelled_by>
            <div class="card-head"><h3 id=heading>{rule.title()}</h3></div>
            <p class="help card-intro">{help}</p>
            <Form action=SetRule::PATH id=rule.as_str() class="card-body stack" label=rule.title() hidden=vec![("rule[rule]", rule.to_string())] version=setting.version()>
                <CheckField label="On" name="rule[is_on]" checked=setting.is_on/>
                <div class="cols-2">
                    <TextField label=most name="rule[most]" value=setting.most.to_string() inputmode="numeric" autocomplete="off" maxlength=9 required=true/>
                    <TextField label="In minutes" name="rule[minutes]" value=setting.minutes.to_string() inputmode="numeric" autocomplete="off" maxlength=2 required=true help="1 to 60."/>
                </div>
                <SelectField label="Then" name="rule[then]" options=then value=setting.then_word()/>
                <div class="when-slow"><TextField label="Calls a second" name="rule[per_second]" value=per_second inputmode="numeric" autocomplete="off" maxlength=6 help="1 to 10,000."/></div>
                <SelectField label="Lasts" name="rule[lasts]" options=lasts value=present/>
                <CheckField label="Email operators" name="rule[mails]" checked=setting.mails help="When it refuses or slows. “Only tell” always emails."/>
                <div class="form-actions"><Button label=format!("Save the rule: {}", rule.title())>"Save"</Button></div>
            </Form>
        </section>
    }
    .into_any()
}

fn never(exempt: &[String], proxies: &[String]) -> AnyView {
    let help = match proxies {
        [] => "One network per line, at most 50. Loopback is never blocked.".to_owned(),
        all => format!("One network per line, at most 50. Loopback and the trusted proxies ({}) are never blocked.", all.join(", ")),
    };
    let networks = exempt.join("\n");
    view! {
        <section class="card" aria-labelledby="h-never">
            <div class="card-head"><h2 id="h-never">"Never blocked"</h2></div>
            <Form action=SetExemptions::PATH class="card-body stack" label="Never blocked" version=exempt_version(exempt)>
                <TextArea label="Networks" name="networks" value=networks mono=true rows=3 help=help/>
                <div class="form-actions"><Button label="Save the networks that are never blocked">"Save"</Button></div>
            </Form>
        </section>
    }
    .into_any()
}
