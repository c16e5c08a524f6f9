//! `/admin/fields`: what is asked of people besides name and address. Changing and deleting a field are states of the page with a URL
//! (`?edit=team`, `?delete=team`).

use crate::{
    accounts::{
        components::Framed,
        model::{FieldKind, FieldUse, ProfileField},
    },
    admin::{
        api::{self, ChangeField, CreateField, DeleteField},
        components::{link, loaded},
    },
    ui::{
        ACT, Button, CheckField, Empty, FormPanel, Gate, Icon, IconLink, LinkButton, Look, Note, PageHeader, SelectField, Size, Table, TextArea, TextField,
        folded, heads,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/fields";

#[component]
pub fn FieldsPage() -> impl IntoView {
    let chosen = use_query_map().with_untracked(|query| (query.get("edit"), query.get("delete")));
    let chosen = StoredValue::new(chosen);
    let page = move |fields: Vec<FieldUse>| {
        let (edit, delete) = chosen.get_value();
        page(fields, edit.as_deref(), delete.as_deref())
    };
    view! { <Framed crumbs=super::crumbs("Fields")>{loaded(api::list_fields, page)}</Framed> }
}

fn page(fields: Vec<FieldUse>, edit: Option<&str>, delete: Option<&str>) -> AnyView {
    let lead = "What you ask people for besides name and email: on their profile and, if you choose, at sign-up.".into_any();
    let find = |slug: Option<&str>| fields.iter().find(|it| Some(it.field.slug.as_str()) == slug).cloned();
    let panel = match (find(delete), find(edit)) {
        (Some(it), _) => delete_panel(it),
        (None, Some(it)) => form(Some(it.field)),
        (None, None) => form(None),
    };
    view! {
        <PageHeader title="Fields of profiles" lead/>
        <div class="cols-panel"><div class="stack">{table(fields)}</div>{panel}</div>
    }
    .into_any()
}

fn table(fields: Vec<FieldUse>) -> AnyView {
    if fields.is_empty() {
        return view! { <Empty title="No fields yet" text="Profiles have name, time zone and language. Add a field for anything else you want to know."/> }
            .into_any();
    }
    let caption = format!("{}, in the order of the form", count(fields.len() as u64, "field", "fields"));
    let rows = fields.into_iter().map(row).collect_view();
    view! {
        <Table caption>
            {heads(&[("Field", ""), ("Asked", "col-2"), ("Filled in", "num"), ACT])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(it: FieldUse) -> AnyView {
    let field = it.field;
    let to = |act: &'static str| format!("{}#h-panel", link(PATH, [(act, Some(field.slug.as_str()))]));
    let (edit, delete) = (to("edit"), to("delete"));
    let asked = [(field.at_sign_up, "on signing up"), (field.is_required, "required"), (field.may_be_public, "may be public")];
    let asked = asked.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect::<Vec<_>>().join(", ");
    let asked = if asked.is_empty() { "on the profile".to_owned() } else { asked };
    let label = format!("Delete {}", field.label);
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><a class="row-link" href=edit>{field.label.clone()}</a><span><code>{field.slug.clone()}</code>", "{field.kind.label()}</span></span>{folded(vec![(2, "Asked", asked.clone().into_any())])}</th>
            <td class="col-2">{asked}</td>
            <td class="num">{thousands(it.values)}</td>
            <td class="cell-more"><IconLink icon=Icon::Trash label href=delete size=Size::Small/></td>
        </tr>
    }
    .into_any()
}

/// The form of a new field, or of one that there is: its name and what it holds stay.
fn form(field: Option<ProfileField>) -> AnyView {
    let is_new = field.is_none();
    let title = field.as_ref().map_or_else(|| "New field".to_owned(), |field| field.label.clone());
    let (action, hidden) = match &field {
        Some(field) => (ChangeField::PATH, vec![("field[slug]", field.slug.clone())]),
        None => (CreateField::PATH, Vec::new()),
    };
    let has_choices = field.as_ref().is_none_or(|field| field.kind == FieldKind::Choice);
    let choices = field.as_ref().map(|field| field.choices.join("\n")).unwrap_or_default();
    let close = (!is_new).then(|| PATH.to_owned());
    let ticked = |is: fn(&ProfileField) -> bool| field.as_ref().is_some_and(is);
    let (is_required, at_sign_up, may_be_public) = (ticked(|f| f.is_required), ticked(|f| f.at_sign_up), ticked(|f| f.may_be_public));
    let position = field.as_ref().map_or_else(String::new, |field| field.position.to_string());
    let version = field.as_ref().map(ProfileField::version);
    let label = field.map(|field| field.label).unwrap_or_default();
    view! {
        <FormPanel title action nostrip:close=close hidden nostrip:version=version>
            <TextField label="Label" name="field[label]" value=label maxlength=60 required=true autocomplete="off"/>
            {is_new.then(once)}
            {has_choices.then(|| view! { <div class=is_new.then_some("when-choice")><TextArea label="Choices" name="field[choices]" value=choices rows=3 maxlength=3100 help="One per line. Only for one of a list."/></div> })}
            <CheckField label="Required" name="field[is_required]" checked=is_required help="People must fill it in the next time they save their profile."/>
            <CheckField label="Ask on signing up" name="field[at_sign_up]" checked=at_sign_up/>
            <CheckField label="People may show it to everybody" name="field[may_be_public]" checked=may_be_public/>
            <TextField label="Place" name="field[position]" value=position inputmode="numeric" maxlength=3 autocomplete="off" help="0 to 999. Lower numbers come first."/>
            <div class="form-actions"><Button look=Look::Primary>{if is_new { "Create field" } else { "Save" }}</Button></div>
        </FormPanel>
    }
    .into_any()
}

/// What stays as it was made.
fn once() -> AnyView {
    let kinds = FieldKind::ALL.map(|(_, word, label)| (word.to_owned(), label.to_owned())).to_vec();
    view! {
        <TextField label="Name over REST" name="field[slug]" mono=true maxlength=30 required=true autocomplete="off" help="Letters a to z, digits and _. You can't change it later."/>
        <SelectField label="What it holds" name="field[kind]" options=kinds value="text"/>
    }
    .into_any()
}

fn delete_panel(it: FieldUse) -> AnyView {
    let FieldUse { field, values } = it;
    let hidden = vec![("slug", field.slug), ("seen", values.to_string())];
    let words = match values {
        0 => "Nobody has filled it in.".to_owned(),
        n => format!("{} filled it in. What they wrote is deleted with it and can't be restored.", count(n, "person has", "people have")),
    };
    view! {
        <FormPanel title=format!("Delete {}", field.label) action=DeleteField::PATH hidden>
            <Note gate=Gate::Refused>{words}</Note>
            <div class="form-actions"><Button look=Look::Danger>"Delete"</Button><LinkButton href=PATH look=Look::Quiet>"Cancel"</LinkButton></div>
        </FormPanel>
    }
    .into_any()
}
