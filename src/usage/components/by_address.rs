//! A report taken apart by address: the busiest, and one row for what is known of no address. The rows add up to the foot.

use super::{ERRORS, USAGE};
use crate::{
    ui::{
        Icon, LinkButton, Look, Size, Table,
        number::{share, thousands},
    },
    usage::model::{AddressUsage, RefusalQuery, UsageQuery, UsageReport},
    values::Counts,
};
use leptos::prelude::*;

/// Nothing where no address is known, or a route is chosen.
#[component]
pub fn ByAddress(report: UsageReport, #[prop(default = USAGE)] path: &'static str) -> impl IntoView {
    if report.addresses.is_empty() {
        return ().into_any();
    }
    let (total, of_errors) = (report.totals, path == ERRORS);
    let mut shown = Counts::default();
    report.addresses.iter().for_each(|a| shown += a.counts);
    let rest = total.less(shown);
    let rows = report.addresses.iter().map(|address| row(&report, address, path)).collect_view();
    let caption = format!("Usage by address, most calls first, {}", report.period);
    let export = match of_errors {
        true => UsageQuery { outcome: Some(UsageQuery::ERRORS.to_owned()), ..report.query.clone() },
        false => report.query.clone(),
    };
    let export = export.by_address().export("csv");
    view! {
        <section aria-labelledby="h-byaddress">
            <div class="section-head">
                <h2 id="h-byaddress">"By address"</h2>
                <p>"From where calls came, where the asking service or your proxy tells it; IPv6 by its /64, for 30 days. The busiest addresses of a key are kept; what the others called is counted, and stands in one row."</p>
            </div>
            <div class="stack-sm">
                <Table caption small=true>
                    <thead><tr>
                        <th scope="col">"Address"</th>
                        <th scope="col" class="num" aria-sort="descending">"Calls"</th>
                        {(!of_errors).then(|| view! { <th scope="col" class="num col-2">"Passed"</th> })}
                        <th scope="col" class="num col-2">"Limited"</th>
                        <th scope="col" class="num col-2">"Refused"</th>
                        <th scope="col" class="num">"Share"</th>
                    </tr></thead>
                    <tbody>
                        {rows}
                        {(rest.total() > 0).then(|| view! { <tr><th scope="row" class="muted">"Others, or not told"</th>{numbers(rest, total, of_errors)}</tr> })}
                    </tbody>
                    <tfoot><tr><th scope="row">"All addresses"</th>{numbers(total, total, of_errors)}</tr></tfoot>
                </Table>
                <div class="row"><LinkButton href=export icon=Icon::Download size=Size::Small look=Look::Quiet>"Export by address"</LinkButton></div>
            </div>
        </section>
    }
    .into_any()
}

fn row(report: &UsageReport, usage: &AddressUsage, path: &'static str) -> AnyView {
    let is_chosen = report.query.address.is_some();
    // Samples have whole addresses, so those of a network of IPv6 can't be asked for.
    let samples = (path == ERRORS && !usage.address.contains('/')).then(|| {
        let from = report.buckets.first().map(|b| b.at.clone());
        let query =
            RefusalQuery { key: report.query.key.clone(), address: Some(usage.address.clone()), from, to: Some(report.end.clone()), ..RefusalQuery::default() };
        view! { " "<a class="faint" href=query.link("/requests") aria-label=format!("Samples from {}", usage.address)>"samples"</a> }
    });
    let (address, href) = (usage.address.clone(), report.query.from_address(&usage.address).link(path));
    let name = match is_chosen {
        true => view! { <code>{address}</code> }.into_any(),
        false => view! { <a class="row-link" href=href><code>{address}</code></a> }.into_any(),
    };
    view! { <tr><th scope="row">{name}{samples}</th>{numbers(usage.counts, report.totals, path == ERRORS)}</tr> }.into_any()
}

fn numbers(counts: Counts, total: Counts, of_errors: bool) -> AnyView {
    let cell = |calls: u64| match calls {
        0 => view! { <td class="num col-2"><span class="faint">"0"</span></td> }.into_any(),
        _ => view! { <td class="num col-2">{thousands(calls)}</td> }.into_any(),
    };
    view! {
        <td class="num">{thousands(counts.total())}</td>
        {(!of_errors).then(|| cell(counts.passed))}
        {cell(counts.limited)}
        {cell(counts.refused)}
        <td class="num">{share(counts.total(), total.total())}</td>
    }
    .into_any()
}
