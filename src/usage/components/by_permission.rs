//! A report taken apart by permission: how many calls needed each. The rows add up to nothing, since a call may need two. What was refused is not
//! in it, so there is no column for it.

use super::USAGE;
use crate::{
    ui::{
        CodeTag, Table, folded,
        number::{share, thousands},
    },
    usage::model::{PermissionUsage, UsageReport},
};
use leptos::prelude::*;

/// Nothing where no call needed a permission, or a route or an address is chosen.
#[component]
pub fn ByPermission(report: UsageReport) -> impl IntoView {
    if report.permissions.is_empty() {
        return ().into_any();
    }
    let rows = report.permissions.iter().map(|permission| row(&report, permission)).collect_view();
    let caption = format!("Usage by permission, most calls first, {}", report.period);
    view! {
        <section aria-labelledby="h-bypermission">
            <div class="section-head">
                <h2 id="h-bypermission">"By permission"</h2>
                <p>"What calls needed, by their route or as the asking service said, kept for 30 days. Counts calls that passed or that only a limit held. A call that needs two permissions is in two rows."</p>
            </div>
            <Table caption small=true>
                <thead><tr>
                    <th scope="col">"Permission"</th>
                    <th scope="col" class="num" aria-sort="descending">"Calls"</th>
                    <th scope="col" class="num col-2">"Passed"</th>
                    <th scope="col" class="num col-2">"Limited"</th>
                    <th scope="col" class="num">"Share"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </Table>
        </section>
    }
    .into_any()
}

fn row(report: &UsageReport, usage: &PermissionUsage) -> AnyView {
    let is_chosen = report.query.permission.is_some();
    let permission = usage.permission.clone();
    let href = report.query.needing(&permission).link(USAGE);
    let name = match is_chosen {
        true => view! { <CodeTag text=permission/> }.into_any(),
        false => view! { <a class="row-link" href=href><code>{permission}</code></a> }.into_any(),
    };
    let (passed, limited, calls) = (thousands(usage.counts.passed), thousands(usage.counts.limited), usage.counts.total());
    let facts = vec![(2, "Passed", passed.clone().into_any()), (2, "Limited", limited.clone().into_any())];
    view! {
        <tr>
            <th scope="row">{name}{folded(facts)}</th>
            <td class="num">{thousands(calls)}</td>
            <td class="num col-2">{passed}</td>
            <td class="num col-2">{limited}</td>
            <td class="num">{share(calls, report.totals.total())}</td>
        </tr>
    }
    .into_any()
}
