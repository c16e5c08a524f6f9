//! `/admin/jobs`: work that happens after a response, and the dead letters of it.

use crate::{
    accounts::components::Framed,
    admin::{
        api::{self, RetryJob},
        components::{link, loaded},
        model::{JobList, JobQuery, JobView},
    },
    keys::components::{SaidOrNever, SaidTime},
    ui::{ACT, ActForm, Empty, ErrorSummary, PageHeader, Pagination, Size, Tab, Table, Tabs, folded, heads, number::count},
    values::JobState,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/jobs";

#[component]
pub fn JobsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| JobQuery::read(|name| map.get(name)));
    view! { <Framed crumbs=super::crumbs("Jobs")>{loaded(move || api::list_jobs(query()), page)}</Framed> }
}

fn page(list: JobList) -> AnyView {
    let lead = "Emails and other background work. Failed jobs are retried; those that fail too often wait here for you.".into_any();
    let tabs = [
        (JobState::Waiting, "Waiting", list.waiting),
        (JobState::Running, "Running", list.running),
        (JobState::Failed, "Failed", list.failed),
        (JobState::Done, "Done", list.done),
    ]
    .map(|(state, label, n)| Tab { count: Some(n), ..Tab::new(label, to(state, None), state == list.state) })
    .to_vec();
    view! {
        <PageHeader title="Jobs" lead/>
        <Tabs label="State" tabs/>
        <ErrorSummary action=RetryJob::PATH/>
        {table(list)}
    }
    .into_any()
}

fn to(state: JobState, older: Option<&str>) -> String {
    link(PATH, [("state", Some(state.as_str())), ("older", older)])
}

fn table(list: JobList) -> AnyView {
    let state = list.state;
    if list.rows.is_empty() {
        let (title, text) = match state {
            JobState::Waiting => ("No job waits", "Jobs appear here until they run."),
            JobState::Running => ("No job is running", "Jobs appear here while they run, usually for less than a second."),
            JobState::Failed => ("No job failed", "A job that failed too often stays here until you retry it."),
            JobState::Done => ("No job is done yet", "Finished jobs stay here for a few days."),
        };
        return view! { <Empty title text/> }.into_any();
    }
    let summary = count(list.rows.len() as u64, "job", "jobs");
    let older = list.older.map(|id| to(state, Some(&id.to_string())));
    let is_failed = state == JobState::Failed;
    let rows = list.rows.into_iter().map(|job| row(job, is_failed)).collect_view();
    let due = if is_failed { "Failed" } else { "Due" };
    let told = if state == JobState::Done { "Result" } else { "Last error" };
    let columns = [("Job", ""), ("Created", "col-3"), (due, "col-2"), ("Tries", "num col-3"), (told, ""), ACT];
    view! {
        <Table caption=format!("Jobs that are {state}, newest first")>
            {heads(&columns[..columns.len() - usize::from(!is_failed)])}
            <tbody>{rows}</tbody>
        </Table>
        <Pagination summary newer=None older/>
    }
    .into_any()
}

fn row(job: JobView, is_failed: bool) -> AnyView {
    let retry = is_failed.then(|| {
        let (this, label) = (vec![("id", job.id.to_string())], format!("Retry {}", job.kind));
        view! { <td class="cell-more"><ActForm action=RetryJob::PATH words="Retry" size=Size::Small label hidden=this/></td> }
    });
    let when = || match (is_failed, job.finished.clone()) {
        (true, finished) => view! { <SaidOrNever said=finished/> }.into_any(),
        (false, _) => view! { <SaidTime said=job.due.clone()/> }.into_any(),
    };
    let facts = vec![
        (3, "Created", view! { <SaidTime said=job.created.clone()/> }.into_any()),
        (2, if is_failed { "Failed" } else { "Due" }, when()),
        (3, "Tries", job.tries.clone().into_any()),
    ];
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><code>{job.kind}</code><span>{job.about}</span></span>{folded(facts)}</th>
            <td class="col-3"><SaidTime said=job.created/></td>
            <td class="col-2">{when()}</td>
            <td class="num nowrap col-3">{job.tries}</td>
            <td>{job.result.or(job.last_error).unwrap_or_default()}</td>
            {retry}
        </tr>
    }
    .into_any()
}
