//! `/admin/templates`: how mails leave, every kind of them by what it is about, and one looked at: as HTML and text, in each language, with made-up facts.

use crate::{
    accounts::components::loaded_in_frame,
    admin::{
        api::{self, SendTestMail},
        components::link,
        model::{TemplateList, TemplateQuery, TemplateRow, TemplateTheme, TemplateView},
    },
    ui::{Button, CodeBlock, Crumb, Fact, Facts, Form, PageHeader, Segments, Tab, Table, Tabs, folded, heads, number::count},
    values::Language,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/templates";

#[component]
pub fn TemplatesPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| TemplateQuery::read(|name| map.get(name)));
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("Channels & templates", PATH)];
    loaded_in_frame(way, move || api::list_templates(query()), opened_name, page, ("Go to the templates", PATH))
}

/// The subject of the kind that is looked at, as the list has it.
fn opened_name(list: &TemplateList) -> Option<String> {
    let open = list.open.as_ref()?;
    list.rows.iter().find(|row| row.name == open.name).map(|row| row.subject.clone())
}

fn page(list: TemplateList) -> AnyView {
    let chosen = opened_name(&list);
    let TemplateList { channel, from, language, email, may_send, rows, open } = list;
    let now_open = open.as_ref().map(|view| view.name.clone());
    let lead = format!("{} of email, each in {} languages.", count(rows.len() as u64, "kind", "kinds"), Language::ALL.len()).into_any();
    view! {
        <PageHeader title="Channels & templates" chosen lead/>
        <Facts>
            <Fact term="Email">{channel}</Fact>
            <Fact term="From">{from}</Fact>
            <Fact term="Language">{language.label()}", for who has not chosen one"</Fact>
        </Facts>
        {open.map(|view| opened(view, may_send.then_some(email)))}
        <div class="stack-xl">{TemplateTheme::ALL.map(|theme| group(theme, &rows, now_open.as_deref())).collect_view()}</div>
    }
    .into_any()
}

/// A kind in this language with this sample.
fn to(kind: &str, language: Language, sample: &str) -> String {
    link(PATH, [("kind", Some(kind)), ("language", Some(language.as_str())), ("sample", Some(sample))])
}

fn opened(template: TemplateView, own: Option<String>) -> AnyView {
    let TemplateView { name, about, language, sample, samples, subject, text } = template;
    let languages = Language::ALL.map(|one| Tab::new(one.label(), to(&name, one, &sample), one == language)).to_vec();
    let natures = samples.into_iter().map(|(value, label)| Tab::new(label, to(&name, language, &value), value == sample)).collect::<Vec<_>>();
    let preview = to(&name, language, &sample).replacen(PATH, "/admin/templates/preview", 1);
    let this = vec![("kind", name.clone()), ("language", language.as_str().to_owned()), ("sample", sample)];
    let test = own.map(|email| {
        view! {
            <Form action=SendTestMail::PATH hidden=this>
                <div class="form-actions"><Button>"Send a test to me"</Button><span class="faint small">"To "{email}"."</span></div>
            </Form>
        }
    });
    view! {
        <section class="stack" aria-labelledby="h-template">
            <div class="section-head"><h2 id="h-template">{name}</h2><p>{about}</p></div>
            <Segments label="Language" tabs=languages/>
            <Tabs label="Sample" tabs=natures/>
            <Facts><Fact term="Subject"><span lang=language.as_str()>{subject}</span></Fact></Facts>
            <iframe class="mail-preview" title="HTML version" src=preview sandbox=""></iframe>
            <CodeBlock id="template-text" title="Text version" code=text wrap=true/>
            {test}
        </section>
    }
    .into_any()
}

/// The kinds about one thing; nothing where this version has none.
fn group(theme: TemplateTheme, rows: &[TemplateRow], now_open: Option<&str>) -> Option<AnyView> {
    let lines: Vec<AnyView> = rows.iter().filter(|row| row.theme == theme).map(|row| line(row, now_open == Some(row.name.as_str()))).collect();
    if lines.is_empty() {
        return None;
    }
    let id = format!("h-{theme:?}");
    let labelled_by = id.clone();
    let section = view! {
        <section aria-labelledby=labelled_by>
            <div class="section-head"><h2 id=id>{theme.title()}</h2><p>{theme.lead()}</p></div>
            <Table caption=format!("Kinds of email: {}", theme.title())>
                {heads(&[("Email", "cell-half"), ("Who gets it, and when", "col-2")])}
                <tbody>{lines}</tbody>
            </Table>
        </section>
    };
    Some(section.into_any())
}

fn line(row: &TemplateRow, is_current: bool) -> AnyView {
    let href = link(PATH, [("kind", Some(row.name.as_str()))]);
    view! {
        <tr class=is_current.then_some("is-current")>
            <th scope="row">
                <span class="cell-2">
                    <a class="row-link" href=href aria-current=is_current.then_some("true")>{row.subject.clone()}</a>
                    <code>{row.name.clone()}</code>
                </span>
                {folded(vec![(2, "", row.about.clone().into_any())])}
            </th>
            <td class="col-2">{row.about.clone()}</td>
        </tr>
    }
    .into_any()
}
