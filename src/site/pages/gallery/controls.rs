//! What one presses and types into.

use super::samples::{late, refused, refused_choices};
use crate::{ui::*, values::Version};
use leptos::{context::Provider, prelude::*};

#[component]
pub fn Controls() -> impl IntoView {
    view! {
        <Section id="gates" title="Mark and gate" lead="One gate, four positions. The glyph always stands with its word.">
            <div class="row gap-lg">
                <Mark/>
                <Wordmark/>
                {Gate::ALL.into_iter().map(|gate| view! { <span class="row"><GateGlyph position=gate tinted=true/>{gate.word()}</span> }).collect_view()}
            </div>
            <div class="row gap-lg"><LargeMark/><LargeMark raised=true/></div>
        </Section>
        <Section id="button" title="Button" lead="One primary on a page. Named after the act.">
            <div class="row">
                <Button look=Look::Primary>"Create key"</Button>
                <Button icon=Icon::Rotate>"Rotate"</Button>
                <Button look=Look::Quiet>"Cancel"</Button>
                <Button look=Look::Danger>"Revoke"</Button>
                <Button look=Look::DangerQuiet>"Revoke"</Button>
            </div>
            <div class="row">
                <Button look=Look::Primary size=Size::Small>"Small"</Button>
                <Button>"Medium"</Button>
                <Button size=Size::Large>"Large"</Button>
                <IconButton icon=Icon::More label="More" look=Look::Secondary/>
                <IconLink icon=Icon::Close label="Close" href="#button"/>
                <span class="btn-group"><Button>"Newer"</Button><Button>"Older"</Button></span>
            </div>
            {LOOKS.into_iter().map(|(look, word)| states(look, word)).collect_view()}
            <div class="row"><LinkButton href="/usage" icon=Icon::Download>"Export CSV"</LinkButton><ActForm action="/fn/gallery-act" words="Disable" label="Disable checkout service"/></div>
            <div class="row">
                <ButtonMenu id="menu-export" words="Export by key" icon=Icon::Download look=Look::Quiet size=Size::Small>
                    <MenuLink href="/usage" icon=Icon::Download label="CSV" name="Export by key, CSV"/>
                    <MenuLink href="/usage" icon=Icon::Download label="JSON" name="Export by key, JSON"/>
                </ButtonMenu>
            </div>
        </Section>
        <Section id="field" title="Field" lead="Label above, help below; the error takes the place of the help.">
            <div class="cols-2">
                <TextField label="Name" name="name" value="checkout service" help="What the program is called."/>
                <TextField label="Id" name="id" value="key_01K3V7QDE4" mono=true disabled=true/>
                <SelectField label="Plan" name="plan" options=options(&["Free", "Team"]) value="Team"/>
                <PasswordField label="Password" name="password" autocomplete="current-password" aside=view! { <a href="/forgot-password">"Forgot it?"</a> }.into_any()/>
                <FileField label="Picture" name="picture" accept="image/png" help="PNG, at most 8 MB."/>
                <SelectField label="Language" name="language" options=options(&["English"]) value="English" disabled=true/>
                <GroupedSelectField label="Of what" name="window" groups=vec![("Units", options(&["units an hour", "units a day"])), ("Calls", options(&["calls an hour"]))] value="units a day"/>
            </div>
            <MoreFields words="External id, metadata" begins=vec![("external-id".to_owned(), "")]>
                <TextField label="External id" name="external-id" autocomplete="off"/>
            </MoreFields>
            <div class="quick-create">
                <TextField label="Name" name="new-name" placeholder="Name of the new key" label_hidden=true autocomplete="off"/>
                <Button look=Look::Primary>"Create key"</Button>
            </div>
        </Section>
        <Section id="panel" title="Form panel" lead="The form of one thing, beside the list of all; that of a new one behind a button.">
            <NewForm title="New group" action="/fn/gallery-new" id="gallery-new">
                <TextField label="Name" name="name" autocomplete="off"/>
                <div class="form-actions"><Button look=Look::Primary>"Create group"</Button></div>
            </NewForm>
            <FormPanel title="New plan" action="/fn/gallery-panel" close="#panel" id="gallery-panel">
                <TextField label="Name" name="name" autocomplete="off"/>
                <div class="form-actions"><Button look=Look::Primary>"Create plan"</Button></div>
            </FormPanel>
        </Section>
        <Section id="refused" title="Refused form" lead="The summary takes the focus and links to the fields. What was typed stays, never passwords.">
            <Provider value=refused()>
                <Form action="/fn/gallery" id="gallery-error" class="stack form-narrow" label="Refused form">
                    <TextField label="Email" name="email" kind="email" autocomplete="username"/>
                    <PasswordField label="Password" name="password" autocomplete="new-password" help="15 characters or more." strength_from=15/>
                    <TextArea label="Reason" name="reason"/>
                    <CheckField label="End all other sessions" name="others"/>
                    <div class="form-actions"><Button look=Look::Primary>"Save"</Button><Button look=Look::Quiet kind="button">"Cancel"</Button></div>
                </Form>
            </Provider>
        </Section>
        <Section id="refused-choice" title="Refused choices" lead="Where the summary has no room in its form it stands before it.">
            <Provider value=refused_choices()>
                <ErrorSummary action="/fn/gallery-choice"/>
                <Form action="/fn/gallery-choice" id="gallery-choice" class="stack form-narrow" label="Refused choices" quiet=true>
                    <SelectField label="Plan" name="plan" options=options(&["Free", "Team"])/>
                    <CheckField label="I have stored it" name="stored"/>
                    <CheckGroup label="Permissions" name="permission" choices=vec![Choice::new("orders:read", "orders:read"), Choice::new("orders:write", "orders:write")]/>
                    <RadioGroup label="Until" name="until" choices=vec![Choice::new("7", "7 days"), Choice::new("30", "30 days")]/>
                    <FileField label="Picture" name="picture" accept="image/png" help="PNG, at most 8 MB."/>
                    <div class="form-actions"><Button look=Look::Primary>"Save"</Button></div>
                </Form>
            </Provider>
        </Section>
        <Section id="late" title="Late form" lead="Somebody changed the same thing while it was open. What was typed stays; what is stored stands beside what differs.">
            <Provider value=late()>
                <Form action="/fn/gallery" id="gallery-late" class="stack form-narrow" label="Late form" version=Version::of(&"now")>
                    <TextField label="Tags" name="tags" value="prod team-a" autocomplete="off" help="Words to find it by."/>
                    <TextArea label="Networks" name="networks" value="203.0.113.0/24\n198.51.100.0/24"/>
                    <SelectField label="Plan" name="plan" options=options(&["Free", "Team"]) value="Free"/>
                    <CheckField label="Email operators" name="mails" checked=true/>
                    <CheckGroup label="Permissions" name="permission" choices=vec![Choice::new("orders:read", "orders:read"), Choice::new("orders:write", "orders:write")] values=vec!["orders:read".into()]/>
                    <div class="form-actions"><Button look=Look::Primary>"Save"</Button></div>
                </Form>
            </Provider>
        </Section>
        <Section id="choice" title="Choice" lead="Check for several, radio for one, switch for what happens at once.">
            <div class="cols-2">
                <CheckGroup
                    label="Permissions"
                    name="permission"
                    choices=vec![
                        Choice::new("orders:read", "orders:read").with_help("Used 8 s ago"),
                        Choice::new("refunds:create", "refunds:create").with_help("Never used"),
                    ]
                    values=vec!["orders:read".into()]
                />
                <RadioGroup label="Until" name="until" choices=vec![Choice::new("7", "7 days"), Choice::new("30", "30 days")] value="7"/>
                <CheckField label="Live" name="live" switch=true checked=true/>
                <CheckField label="Warn me at 80 %" name="warn" switch=true/>
                <CheckField label="Set by your operator" name="locked" checked=true disabled=true/>
            </div>
        </Section>
        <Section id="filter" title="Filters" lead="In the URL, so that what one sees can be shared.">
            <Segments label="Range" tabs=vec![Tab::new("24 h", "?range=24h", false), Tab::new("7 d", "?range=7d", false), Tab::new("30 d", "?range=30d", true)]/>
            <Filters action="/dev/ui" label="Keys">
                <SearchField placeholder="Name, start or id"/>
                <FilterSelect label="API" name="api" options=options(&["All APIs", "Orders"])/>
                <FilterSelect label="Status" name="status" options=options(&["All statuses", "Passing", "Held at limit", "Refused"])/>
                <MoreFilters><FilterSelect label="Tag" name="tag" options=options(&["All tags", "prod"])/></MoreFilters>
            </Filters>
            <div class="row">
                <Chip href="?code=" label="All" count=1_763 current=true/>
                <Chip href="?code=RATE_LIMITED" label="RATE_LIMITED" count=1_295 gate=Gate::Limited/>
                <Chip href="?code=IP_DENIED" label="IP_DENIED" count=46 gate=Gate::Refused/>
            </div>
        </Section>
    }
    .into_any()
}

/// Each look with an act that has it.
const LOOKS: [(Look, &str); 5] =
    [(Look::Primary, "Create key"), (Look::Secondary, "Rotate"), (Look::Quiet, "Cancel"), (Look::Danger, "Revoke"), (Look::DangerQuiet, "Turn off")];

/// At rest, under way, not to be pressed; and the links that look alike.
fn states(look: Look, word: &'static str) -> AnyView {
    view! {
        <div class="row">
            <Button look>{word}</Button>
            <Button look busy=true>{word}</Button>
            <Button look disabled=true>{word}</Button>
            <LinkButton href="#button" look>{word}</LinkButton>
            <LinkButton href="#button" look disabled=true>{word}</LinkButton>
        </div>
    }
    .into_any()
}

fn options(words: &[&str]) -> Vec<(String, String)> {
    words.iter().map(|w| ((*w).to_owned(), (*w).to_owned())).collect()
}
