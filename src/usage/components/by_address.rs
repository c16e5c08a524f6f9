//! A report taken apart by address: the busiest, and one row for what is known of no address. The rows add up to the foot.

use super::{
    ERRORS, USAGE,
    breakdown::samples,
    numbers::{facts, heads, numbers},
};
use crate::{
    ui::{Table, folded},
    usage::model::{AddressUsage, RefusalQuery, UsageReport},
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
    view! {
        <section aria-labelledby="h-byaddress">
            <div class="section-head">
                <h2 id="h-byaddress">"By address"</h2>
                <p>"Where calls came from, if the asking service or your proxy tells it; IPv6 by /64. Kept for 30 days unless your operator chose otherwise. Each key keeps its busiest addresses; calls from the others are counted in one row."</p>
            </div>
            <Table caption small=true>
                <thead><tr>
                    <th scope="col">"Address"</th>
                    {heads(of_errors)}
                </tr></thead>
                <tbody>
                    {rows}
                    {(rest.total() > 0).then(|| view! { <tr><th scope="row" class="muted">{AddressUsage::OTHERS}{folded(facts(rest, of_errors))}</th>{numbers(rest, total, of_errors, None)}</tr> })}
                </tbody>
                <tfoot><tr><th scope="row">"All addresses"{folded(facts(total, of_errors))}</th>{numbers(total, total, of_errors, None)}</tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}

fn row(report: &UsageReport, usage: &AddressUsage, path: &'static str) -> AnyView {
    let is_chosen = report.query.address.is_some();
    // Samples have whole addresses, so those of a network of IPv6 can't be asked for.
    let link = (path == ERRORS && !usage.address.contains('/')).then(|| {
        let query = RefusalQuery { address: Some(usage.address.clone()), ..samples(report) };
        view! { " "<a class="faint" href=query.link("/requests") aria-label=format!("Samples from {}", usage.address)>"samples"</a> }
    });
    let (address, href) = (usage.address.clone(), report.query.from_address(&usage.address).link(path));
    let name = match is_chosen {
        true => view! { <code>{address}</code> }.into_any(),
        false => view! { <a class="row-link" href=href><code>{address}</code></a> }.into_any(),
    };
    view! { <tr><th scope="row">{name}{link}{folded(facts(usage.counts, path == ERRORS))}</th>{numbers(usage.counts, report.totals, path == ERRORS, None)}</tr> }.into_any()
}
