//! Numbers over time, and the colours everything is made of.

use super::samples::{day_of_calls, latencies, month_of_calls, quiet_day, spark};
use crate::ui::{
    chart::LineChart,
    number::{millis, short},
    *,
};
use leptos::prelude::*;

#[component]
pub fn ChartsAndFigures() -> impl IntoView {
    view! {
        <Section id="figures" title="Figures" lead="At most four sums above a chart." wide=true>
            <Figures>
                <Figure term="Calls" value="1,647,739" note="55,573 a day"/>
                <Figure term="Passed" value="1,635,020" note="99.23 %" gate=Gate::Passed/>
                <Figure term="Limited" value="8,842" note="0.54 %, 4,095 on 18 Nov" gate=Gate::Limited/>
                <Figure term="Refused" value="3,877" note="0.24 %, from 3 keys" gate=Gate::Refused/>
            </Figures>
        </Section>
        <Section id="chart" title="Chart" lead="Sizes are fixed before the data comes. What is above the bar did not pass." wide=true>
            <UsageChart series=day_of_calls() zoom="/dev/ui?from={from}&to={to}"/>
            <UsageChart series=month_of_calls()/>
            <UsageChart series=quiet_day() small=true/>
            <LineChart lines=latencies() words=millis axis=short zoom="/dev/ui?from={from}&to={to}"/>
        </Section>
        <Section id="spark" title="Sparkline, quota, progress" lead="Thirty days in a cell; a quota with its post; a bar for a share." wide=true>
            <div class="row gap-lg">
                <span class="row"><Sparkline name="checkout service" points=spark(1)/><span class="muted">"checkout service"</span></span>
                <span class="row"><Sparkline name="load test" points=spark(2)/><span class="muted">"load test"</span></span>
                <span class="row"><Sparkline name="ERP bridge" points=spark(3) small=true/><span class="muted">"ERP bridge"</span></span>
            </div>
            <section class="card" aria-labelledby="quota-title">
                <div class="card-head"><h3 id="quota-title">"Quota for November"</h3><span class="push muted">"resets on 1 Dec"</span></div>
                <div class="card-body stack">
                    <div class="row-between"><span><b class="figure-inline">"1,097,638"</b>" "<span class="muted">"of 1,500,000 units"</span></span><span class="muted">"73 %"</span></div>
                    <QuotaMeter id="quota-over" used=1_097_638 limit=1_500_000 expected=1_675_783 ends="30 Nov"/>
                    <QuotaMeter id="quota-under" used=240_000 limit=1_500_000 expected=900_000 ends="30 Nov"/>
                    <QuotaMeter id="quota-empty" used=0 limit=10_000/>
                </div>
            </section>
            <div class="stack-sm">
                <div class="row-between"><span>"Export, 812 of 1,240 rows"</span><span class="faint">"65 %"</span></div>
                <Bar percent=65.0/>
                <Bar percent=34.0 look=BarLook::Share/>
                <Bar percent=60.0 look=BarLook::Passed/>
                <Bar percent=45.0 look=BarLook::Limited/>
                <Bar percent=20.0 look=BarLook::Refused/>
            </div>
        </Section>
    }
    .into_any()
}

/// The names of the tokens; the classes are Tailwind's, made from `style/tokens.css`.
const COLOURS: [(&str, &str); 25] = [
    ("canvas", "bg-canvas"),
    ("surface", "bg-surface"),
    ("raised", "bg-raised"),
    ("sunken", "bg-sunken"),
    ("hover", "bg-hover"),
    ("selected", "bg-selected"),
    ("inverse", "bg-inverse"),
    ("line", "bg-line"),
    ("line-strong", "bg-line-strong"),
    ("accent", "bg-accent"),
    ("link", "bg-link"),
    ("focus", "bg-focus"),
    ("danger", "bg-danger"),
    ("passed", "bg-passed"),
    ("passed-bg", "bg-passed-bg"),
    ("passed-fg", "bg-passed-fg"),
    ("limited", "bg-limited"),
    ("limited-bg", "bg-limited-bg"),
    ("limited-fg", "bg-limited-fg"),
    ("refused", "bg-refused"),
    ("refused-bg", "bg-refused-bg"),
    ("refused-fg", "bg-refused-fg"),
    ("idle", "bg-idle"),
    ("idle-bg", "bg-idle-bg"),
    ("idle-fg", "bg-idle-fg"),
];

#[component]
pub fn Colours() -> impl IntoView {
    let swatches = COLOURS.into_iter().map(|(name, class)| view! { <li class="swatch"><span class=class></span><code>{name}</code></li> }).collect_view();
    view! {
        <Section id="colours" title="Colours" lead="The names of style/tokens.css." wide=true>
            <ul class="swatches">{swatches}</ul>
        </Section>
    }
    .into_any()
}
