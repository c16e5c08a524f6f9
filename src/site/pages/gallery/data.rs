//! What one compares and reads.

use super::samples::{NOW, spark};
use crate::ui::*;
use ::time::Duration;
use leptos::prelude::*;

#[component]
pub fn Data() -> impl IntoView {
    let (used, signed_in, created, expires) = (NOW - Duration::seconds(8), NOW - Duration::hours(7), NOW - Duration::days(40), NOW + Duration::days(90));
    view! {
        <Section id="badge" title="Badge" lead="State of a thing. Outline for facts that are not states.">
            <div class="row">
                <Badge gate=Gate::Passed>"Passing"</Badge>
                <Badge gate=Gate::Limited>"Held at limit"</Badge>
                <Badge gate=Gate::Refused>"412 refused in 24 h"</Badge>
                <Badge gate=Gate::Idle>"Idle 9 days"</Badge>
                <OutlineBadge>"Verified"</OutlineBadge>
                <CodeTag text="orders:read"/>
            </div>
            <div class="tip-room">
                <BadgeTip id="tip-expiry" gate=Gate::Limited label="Expires in 6 days" tip="From 26 Nov 2026, 00:00 every call is answered EXPIRED. Rotate it, or move the date." shown=true/>
            </div>
        </Section>
        <Section id="table" title="Table" lead="Rest, hover, current, off, waiting, failed. Columns leave before text gets smaller.">
            <Table caption="Keys, sorted by calls">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col" class="col-2">"Last 30 days"</th>
                        <SortHeader label="Calls" href="?sort=calls" sort=Some(Sort::Descending) class="num"/>
                        <SortHeader label="Last used" href="?sort=used" sort=None class="col-2"/>
                        <th scope="col" class="cell-status">"Status"</th>
                        <td class="cell-more"><span class="visually-hidden">"More"</span></td>
                    </tr>
                </thead>
                <tbody>
                    {row("checkout service", "ord_live_7Kq2…", 783_707, "8 s ago", Gate::Limited, "Held at limit", "", 1)}
                    {row("load test", "ord_test_e5Hs…", 32_950, "9 days ago", Gate::Idle, "Idle 9 days", "is-current", 2)}
                    {row("old storefront", "ord_live_X1rj…", 38_943, "7 days ago", Gate::Idle, "Disabled", "is-off", 3)}
                    <tr>
                        <th scope="row"><span class="skeleton half"></span><span class="visually-hidden">"Loading"</span></th>
                        <td class="col-2"><span class="skeleton most"></span></td>
                        <td><span class="skeleton most"></span></td>
                        <td class="col-2"><span class="skeleton most"></span></td>
                        <td><span class="skeleton most"></span></td>
                        <td class="cell-more"></td>
                    </tr>
                </tbody>
            </Table>
            <Pagination summary="25 of 184 keys" newer=None older=Some("?cursor=abc".into())/>
            <Table caption="Requests, which could not be read" small=true>
                <thead><tr><th scope="col">"Time"</th><th scope="col">"Route"</th></tr></thead>
                <tbody>
                    <tr><td colspan="2"><Note gate=Gate::Refused><b class="strong">"These rows could not be read. "</b><a href="#table">"Try again"</a></Note></td></tr>
                </tbody>
            </Table>
            <Table caption="Moments, newest first, of two lines on a phone" lines=true>
                {heads(&[("Time", ""), ("Outcome", ""), ("Key", ""), ("Route", "col-2")])}
                <tbody>
                    {moment("12:38:09", "INSUFFICIENT_PERMISSIONS", "warehouse-replication-of-last-resort", "DELETE /orders/{id}/attachments/{attachment}")}
                    {moment("12:38:02", "EXPIRED", "till", "-")}
                </tbody>
            </Table>
        </Section>
        <Section id="tabs" title="Tabs" lead="Tabs change the page, segments change the view.">
            <Tabs label="Example" tabs=vec![Tab::new("Overview", "#", true), Tab { count: Some(4), ..Tab::new("Keys", "#", false) }, Tab::new("Sessions", "#", false)]/>
        </Section>
        <Section id="facts" title="Facts" lead="Pairs beside things; figures above charts; history.">
            <div class="cols-2">
                <Facts>
                    <Fact term="Id"><CopyId id="copy-key" text="key_01K3V7QDE4"/></Fact>
                    <Fact term="Created">"4 Feb 2026 by Mara Lindqvist"</Fact>
                    <Fact term="Expires">"never"</Fact>
                </Facts>
                <Timeline>
                    <TimelineItem dot=Dot::Gate(Gate::Limited) when="today, 12:38" iso="2026-11-20T12:38:00+01:00">"Reached its hourly limit"</TimelineItem>
                    <TimelineItem dot=Dot::Icon(Icon::Rotate) when="18 Nov, 09:12" iso="2026-11-18T09:12:00+01:00">"Mara Lindqvist started a rotation"</TimelineItem>
                    <TimelineItem dot=Dot::Icon(Icon::Key) when="4 Feb, 11:20" iso="2026-02-04T11:20:00+01:00">"Mara Lindqvist created the key"</TimelineItem>
                </Timeline>
            </div>
            <div class="card">
                <div class="card-head"><h3>"Where you are signed in"</h3><span class="push muted">"3 sessions"</span></div>
                <ul class="list">
                    <li><IconView icon=Icon::Laptop/><div class="cell-2"><span>"Firefox on macOS "<OutlineBadge>"this one"</OutlineBadge></span><span>"Malmö, since today, 08:51"</span></div></li>
                    <li><IconView icon=Icon::Laptop/><div class="cell-2"><span>"Chrome on Windows"</span><span>"Kiel, since 28 Oct"</span></div><Button look=Look::Quiet size=Size::Small label="Sign out Chrome on Windows">"Sign out"</Button></li>
                </ul>
                <div class="card-foot"><span>"A session ends after 14 days without use."</span><span class="push"><Button size=Size::Small>"Sign out 2 others"</Button></span></div>
            </div>
            <ol class="ladder" aria-label="Strongest first">
                <li><span class="muted">"Key"</span><span class="faint">"not set"</span><span></span></li>
                <li class="is-ruling"><span>"Workspace"</span><span>"2,400 an hour, set by Jon Abara on 3 Nov"</span><OutlineBadge>"applies"</OutlineBadge></li>
                <li><span class="muted">"Plan"</span><span class="is-set">"Team: 1,200 an hour"</span><span></span></li>
            </ol>
        </Section>
        <Section id="time" title="Time" lead="As far away as it matters, exact on hover; in the person's time zone.">
            <Facts>
                <Fact term="Last used"><AgoOrNever now=NOW at=Some(used)/></Fact>
                <Fact term="Used before"><AgoOrNever now=NOW at=None/></Fact>
                <Fact term="Created"><Ago now=NOW at=created/></Fact>
                <Fact term="Signed in"><Moment now=NOW at=signed_in/></Fact>
                <Fact term="Expires"><Moment now=NOW at=expires/></Fact>
            </Facts>
        </Section>
        <Section id="code" title="Code, secret" lead="A block copies as a whole. A secret is shown once.">
            <CodeBlock id="curl" title="curl" code="curl https://api.nordlicht.example/orders \\\n  -H \"Authorization: Bearer $KEY\""/>
        </Section>
    }
    .into_any()
}

fn moment(time: &'static str, code: &'static str, key: &'static str, route: &'static str) -> AnyView {
    view! {
        <tr>
            <th scope="row" class="nowrap">{time}</th>
            <td><Badge gate=Gate::Refused>{code}</Badge></td>
            <td>{key}{folded(vec![(2, "Route", view! { <code>{route}</code> }.into_any())])}</td>
            <td class="col-2"><code>{route}</code></td>
        </tr>
    }
    .into_any()
}

#[allow(clippy::too_many_arguments)]
fn row(name: &'static str, start: &'static str, calls: u64, used: &'static str, gate: Gate, state: &'static str, class: &'static str, n: u64) -> AnyView {
    let facts = vec![(2, "Last used", used.into_any())];
    view! {
        <tr class=class>
            <th scope="row"><div class="cell-2"><a class="row-link" href="/keys">{name}</a><code>{start}</code></div>{folded(facts)}</th>
            <td class="col-2"><Sparkline name=name points=spark(n)/></td>
            <td class="num">{number::thousands(calls)}</td>
            <td class="col-2 nowrap">{used}</td>
            <td class="cell-status"><BadgeTip id=format!("tip-row-{n}") gate label=state tip="Held 1,127 of 18,376 calls today at 2,400 units an hour. Passing again since 14:00." end=true/></td>
            <td class="cell-more">
                <Menu id=format!("menu-row-{n}") label=format!("More for {name}")>
                    <MenuLink href="/keys" icon=Icon::Gear label="Edit"/>
                    <MenuAct action="/fn/gallery" icon=Icon::Rotate label="Rotate"/>
                    <MenuRule/>
                    <MenuLink href="?dialog=revoke" icon=Icon::Trash label="Revoke" danger=true/>
                </Menu>
            </td>
        </tr>
    }
    .into_any()
}
