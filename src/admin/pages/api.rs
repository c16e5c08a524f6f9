//! `/admin/apis/{slug}`: one API: what its routes need and cost, which permissions it knows and bundles it has, what becomes of other calls.
//! A route or bundle that is being changed is a state with a URL (`?route=GET /orders`, `?bundle=order-desk`), as is one that is to be removed
//! (`?dialog=remove&route=GET /orders`).

use super::api_bundles::{bundle_form, bundles};
use crate::{
    accounts::components::loaded_in_frame,
    admin::{
        api::{self, DeleteBundle, RemoveRoute, SaveApi, SaveRoute, SetApiLimit},
        components::link,
        model::ApiPage as Page,
    },
    error::AppError,
    keys::{
        components::{DecideDialog, LimitTable},
        model::{Api, ApiRoute, Unmatched},
    },
    ui::{
        ACT, Button, CheckField, CheckGroup, Choice, CodeTag, Crumb, Empty, ErrorSummary, Fact, Facts, Form, FormOutcome, FormPanel, Gate, Icon, IconLink,
        LinkButton, Look, MoreFields, NewForm, PageHeader, RadioGroup, SelectField, Size, Table, TextArea, TextField, folded, heads,
        number::{count, thousands},
    },
    values::Version,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};

#[component]
pub fn ApiPage() -> impl IntoView {
    let slug = use_params_map().with_untracked(|map| map.get("slug").unwrap_or_default());
    let route = use_query_map().with_untracked(|map| map.get("route"));
    let bundle = use_query_map().with_untracked(|map| map.get("bundle"));
    let is_removing = use_query_map().with_untracked(|map| map.get("dialog")).as_deref() == Some("remove");
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("APIs", "/admin/apis")];
    let is_sent = use_context::<FormOutcome>().is_some_and(|sent| [SaveRoute::PATH, RemoveRoute::PATH].contains(&sent.action.as_str()));
    let load = move || read(slug.clone(), route.clone(), bundle.clone(), is_sent);
    let name = |page: &Page| Some(page.api.name.clone());
    loaded_in_frame(way, load, name, move |it| page(it, is_removing), ("Go to the APIs", "/admin/apis"))
}

/// Where the route went away while its form was open, what was typed stands in the form of a new one.
async fn read(slug: String, route: Option<String>, bundle: Option<String>, is_sent: bool) -> Result<Page, AppError> {
    match api::read_api(slug.clone(), route, bundle.clone()).await {
        Err(AppError::NotFound) if is_sent => api::read_api(slug, None, bundle).await,
        answer => answer,
    }
}

pub(super) fn path(api: &Api) -> String {
    format!("/admin/apis/{}", api.slug)
}

fn page(page: Page, is_removing: bool) -> AnyView {
    let keys = count(page.keys, "key", "keys");
    let lead = format!("Its keys begin with {}_live_ or {}_test_. It has {keys}.", page.api.key_prefix, page.api.key_prefix).into_any();
    let keys_of = link("/admin/keys", [("api", Some(page.api.slug.as_str()))]);
    let over = page.chosen.as_ref().filter(|_| is_removing).map(|route| remove_route(&page, route));
    // A refusal is said in the dialog while that is open.
    let unremoved = over.is_none().then(|| view! { <ErrorSummary action=RemoveRoute::PATH/> });
    // Beside the page stands what is being changed.
    let panel = match (&page.bundle_form, page.chosen.clone()) {
        (Some(form), _) => Some(bundle_form(&page.api, form)),
        (None, Some(route)) if !is_removing && !page.api.is_own() => Some(change_route(&page.api, route)),
        _ => None,
    };
    let class = if panel.is_some() { "cols-panel" } else { "stack-xl" };
    view! {
        <PageHeader title=page.api.name.clone() lead><LinkButton href=keys_of icon=Icon::Key>"Its keys"</LinkButton></PageHeader>
        {unremoved}
        <ErrorSummary action=DeleteBundle::PATH/>
        <div class=class>
            <div class="stack-xl">{routes(&page)}{limit(&page)}{bundles(&page)}{settings(page.api)}</div>
            {panel}
        </div>
        {over}
    }
    .into_any()
}

fn routes(page: &Page) -> AnyView {
    let api = &page.api;
    if api.is_own() {
        return view! { <p class="muted">"This is Tollgate's own API. What each operation needs is in the "<a href="/docs/api">"reference"</a>"."</p> }
            .into_any();
    }
    let others = match api.unmatched {
        Unmatched::Allow => "A call that matches none needs no permission and costs 1.",
        Unmatched::Refuse => "A call that matches none is answered FORBIDDEN.",
    };
    let head = view! {
        <div class="section-head"><h2 id="routes-title">"Routes"</h2><p>"The most specific route applies. "{others}" "<a href="/docs/routes">"How paths are matched"</a></p></div>
    };
    let list = if page.routes.is_empty() {
        let text = "A route sets what its calls need: a permission, a cost above 1, or no quota. Without routes, every call of a valid key passes, unless the asking service names a permission.";
        view! { <Empty title="No routes yet" text/> }.into_any()
    } else {
        let rows = page.routes.iter().map(|r| row(api, r, page.chosen.as_ref())).collect_view();
        view! {
            <Table caption="Routes by path">
                {heads(&[("Method", ""), ("Path", ""), ("Needs", "col-2"), ("Cost", "num col-2"), ACT])}
                <tbody>{rows}</tbody>
            </Table>
        }
        .into_any()
    };
    let new = page.chosen.is_none().then(|| new_route(api));
    view! { <section aria-labelledby="routes-title">{head}<div class="stack">{new}{list}</div></section> }.into_any()
}

fn row(api: &Api, route: &ApiRoute, chosen: Option<&ApiRoute>) -> AnyView {
    let label = route.label();
    let method = if route.method == ApiRoute::ANY {
        view! { <span class="faint">"any"</span> }.into_any()
    } else {
        view! { <code>{route.method.clone()}</code> }.into_any()
    };
    let description = (!route.description.is_empty()).then(|| view! { <span>{route.description.clone()}</span> });
    // The form stands below a long list where there is no room beside it.
    let edit = format!("{}#h-panel", link(&path(api), [("route", Some(label.as_str()))]));
    let remove = link(&path(api), [("dialog", Some("remove")), ("route", Some(label.as_str()))]);
    view! {
        <tr class=(chosen == Some(route)).then_some("is-current")>
            <td>{method}</td>
            <th scope="row"><span class="cell-2"><a class="row-link" href=edit.clone()><code>{route.pattern.clone()}</code></a>{description}</span>{folded(vec![(2, "Needs", needs(route)), (2, "Cost", cost(route))])}</th>
            <td class="col-2">{needs(route)}</td>
            <td class="num col-2">{cost(route)}</td>
            <td class="cell-more"><LinkButton href=edit size=Size::Small label=format!("Edit {label}")>"Edit"</LinkButton><IconLink icon=Icon::Trash label=format!("Remove {label}") href=remove size=Size::Small/></td>
        </tr>
    }
    .into_any()
}

fn needs(route: &ApiRoute) -> AnyView {
    match &route.permission {
        Some(permission) => view! { <CodeTag text=permission.to_string()/> }.into_any(),
        None => view! { <span class="faint">"any key"</span> }.into_any(),
    }
}

fn cost(route: &ApiRoute) -> AnyView {
    if route.is_counted { thousands(u64::from(route.cost)).into_any() } else { view! { <span class="faint nowrap">"no quota"</span> }.into_any() }
}

/// Asks before a route goes, and says what becomes of its calls.
fn remove_route(page: &Page, route: &ApiRoute) -> AnyView {
    let (lead, version) = page.without.clone().unwrap_or_default();
    let lead = lead.into_any();
    let this = vec![("slug", page.api.slug.to_string()), ("method", route.method.clone()), ("path", route.pattern.clone()), (Version::FIELD, version)];
    let (needs, cost) = (needs(route), cost(route));
    view! {
        <DecideDialog id="remove-route" title=format!("Remove {}", route.label()) gate=Gate::Refused lead path=path(&page.api) action=RemoveRoute::PATH hidden=this act="Remove" look=Look::Danger>
            <Facts><Fact term="Needs now">{needs}</Fact><Fact term="Costs now">{cost}</Fact></Facts>
        </DecideDialog>
    }
    .into_any()
}

fn new_route(api: &Api) -> AnyView {
    let (slug, api) = (api.slug.to_string(), api.clone());
    view! {
        <NewForm title="New route" action=SaveRoute::PATH id="route" hidden=vec![("slug", slug)]>
            <div class="cols-2">{route_fields(&api, None)}</div>
            <div class="form-actions"><Button look=Look::Primary>"Add route"</Button></div>
        </NewForm>
    }
    .into_any()
}

fn change_route(api: &Api, route: ApiRoute) -> AnyView {
    let (close, version, api) = (path(api), route.version(), api.clone());
    let hidden = vec![("slug", api.slug.to_string()), ("replaces", route.label())];
    view! {
        <FormPanel title="Change the route" action=SaveRoute::PATH id="route" close=close.clone() hidden version>
            {route_fields(&api, Some(route))}
            <div class="form-actions"><Button look=Look::Primary>"Save route"</Button><LinkButton href=close look=Look::Quiet>"Cancel"</LinkButton></div>
        </FormPanel>
    }
    .into_any()
}

// Fields are made inside of the form, whose answer they show.
fn route_fields(api: &Api, chosen: Option<ApiRoute>) -> AnyView {
    let methods = ApiRoute::METHODS.map(|m| (m.to_owned(), if m == ApiRoute::ANY { "Any" } else { m }.to_owned()));
    let methods = methods[1..].iter().chain(&methods[..1]).cloned().collect();
    let none = std::iter::once((String::new(), "None: any valid key".to_owned()));
    let permissions = none.chain(api.permissions.iter().map(|p| (p.permission.to_string(), p.permission.to_string()))).collect();
    let of = |get: fn(&ApiRoute) -> String| chosen.as_ref().map(get);
    let needed = of(|r| r.permission.as_ref().map(ToString::to_string).unwrap_or_default()).unwrap_or_default();
    let (method, pattern, description) = (of(|r| r.method.clone()), of(|r| r.pattern.clone()), of(|r| r.description.clone()));
    let cost = of(|r| r.cost.to_string()).unwrap_or_else(|| "1".to_owned());
    let is_free = chosen.as_ref().is_some_and(|r| !r.is_counted);
    view! {
        <SelectField label="Method" name="method" options=methods value=method.unwrap_or_else(|| "GET".to_owned())/>
        <TextField label="Path" name="path" mono=true maxlength=100 required=true autocomplete="off" placeholder="/orders/{id}" value=pattern.unwrap_or_default() help="{id} matches one segment; * or {path...} at the end matches all that follow."/>
        <SelectField label="Needs" name="permission" options=permissions value=needed/>
        <TextField label="Cost of a call" name="cost" inputmode="numeric" maxlength=9 value=cost help="In units of the key's limits."/>
        <CheckField label="No quota" name="is_free" checked=is_free help="Calls are verified and shown, but not charged to any limit."/>
        <TextField label="Description" name="description" maxlength=200 autocomplete="off" value=description.unwrap_or_default()/>
    }
    .into_any()
}

/// What each key may that nothing nearer limits.
fn limit(page: &Page) -> Option<AnyView> {
    let limits = page.limits.clone()?;
    let this = vec![("slug", page.api.slug.to_string())];
    let section = view! {
        <section aria-labelledby="limit-title">
            <div class="section-head"><h2 id="limit-title">"Limits"</h2><p>"For each key that has no limits of its own, its plan or its workspace."</p></div>
            <LimitTable action=SetApiLimit::PATH label="Limits of each key" hidden=this limits page=path(&page.api) empty="None. The default from the configuration applies."/>
        </section>
    };
    Some(section.into_any())
}

const LINES: &str = "One per line, such as “orders:read Read orders”. Keys keep a permission that you remove here, but no other key can get it.";

const NEED: &str =
    "Keys get these only from a grant of their plan, group or workspace. Once saved, calls that need one are answered FORBIDDEN without the grant.";

const SAMPLED: &str = "1 to 10,000; leave empty for none. Samples appear under Requests and Refusals with their addresses, kept as long as those of refusals. Counts are exact either way.";

fn settings(api: Api) -> AnyView {
    let (slug, name, version) = (api.slug.to_string(), api.name.clone(), api.version());
    view! {
        <section class="stack" aria-labelledby="settings-title">
            <h2 id="settings-title">"Settings"</h2>
            <Form action=SaveApi::PATH class="stack form-medium" label="Settings" hidden=vec![("slug", slug)] version>
                <TextField label="Name" name="name" value=name maxlength=80 required=true autocomplete="off"/>
                {permissions(&api)}
                {rarer(&api)}
                <div class="form-actions"><Button>"Save"</Button></div>
            </Form>
        </section>
    }
    .into_any()
}

// Fields are made inside of the form, whose answer they show.
fn permissions(api: &Api) -> AnyView {
    if api.is_own() {
        let words = format!("Its {} are built in and can't be changed.", count(api.permissions.len() as u64, "permission", "permissions"));
        return view! { <p class="help">{words}</p> }.into_any();
    }
    let lines = api.permissions.iter().map(|p| format!("{} {}", p.permission, p.description).trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    let basic: Vec<String> = api.permissions.iter().filter(|p| p.is_basic).map(|p| p.permission.to_string()).collect();
    let choices: Vec<Choice> = api.permissions.iter().map(|p| Choice::new(p.permission.as_str(), p.permission.to_string())).collect();
    let needing: Vec<String> = api.permissions.iter().filter(|p| p.needs_grant).map(|p| p.permission.to_string()).collect();
    let same = choices.clone();
    let group = (!choices.is_empty()).then(
        || view! { <CheckGroup label="In the preset Basic" name="basic[]" choices values=basic help="What most keys should get. If you choose none, it has those that only read."/> },
    );
    let ceiling = (!same.is_empty()).then(|| view! { <CheckGroup label="Need a grant" name="needs_grant[]" choices=same values=needing help=NEED/> });
    view! {
        <TextArea label="Permissions" name="permissions" mono=true rows=6 value=lines help=LINES/>
        {group}
        {ceiling}
    }
    .into_any()
}

/// What most APIs leave as it is.
fn rarer(api: &Api) -> AnyView {
    let value = if api.sample_one_in == 0 { String::new() } else { api.sample_one_in.to_string() };
    let samples = move || {
        view! { <TextField label="Samples of calls that pass: 1 in" name="sample_one_in" inputmode="numeric" maxlength=6 autocomplete="off" value help=SAMPLED/> }
    };
    if api.is_own() {
        return samples().into_any();
    }
    let is_set = api.sample_one_in != 0 || api.answers_preflights || api.unmatched != Unmatched::Allow;
    let begins = [("sample_one_in", ""), ("preflights", "key"), ("unmatched", "allow")].map(|(name, value)| (name.to_owned(), value)).to_vec();
    let (unmatched, answers) = (api.unmatched.as_str(), if api.answers_preflights { "answer" } else { "key" });
    let others = vec![
        Choice::new("allow", "It needs no permission and costs 1"),
        Choice::new("refuse", "It is refused: FORBIDDEN").with_help("Add every route first, and check Usage for calls without one."),
    ];
    let preflights = vec![
        Choice::new("key", "It needs a key like every call").with_help("Browsers send none, so pages on other sites can't call the API."),
        Choice::new("answer", "It is answered for the origins of the API's keys"),
    ];
    view! {
        <MoreFields words="More: samples, browsers, calls without a route" begins is_set>
            {samples()}
            <RadioGroup label="A browser's question before a call (preflight)" name="preflights" choices=preflights value=answers/>
            <RadioGroup label="A call that no route matches" name="unmatched" choices=others value=unmatched/>
        </MoreFields>
    }
    .into_any()
}
