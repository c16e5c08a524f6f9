//! From the texts of the page's forms to the typed input of an operation.

use super::{assigning, describing, groups, store};
use crate::{
    accounts::{
        Caller,
        server::{find_account, find_account_by_email},
    },
    error::{AppError, FieldError, Fields},
    keys::{
        model::{KeyEdit, KeyLimit, Refill, TypedLimit, Window},
        server::{
            edit_key,
            forms::{OverForm, digits, read_unit},
        },
    },
    plans::model::{GroupEdit, NewLimits, NewPlan, NewPrice, Plan, PlanEdit, PlanForm},
    platform::Ctx,
    values::{AccountId, Email, GroupId, KeyId, Slug, WorkspaceId, permission_names as may},
};

pub async fn create(ctx: &Ctx, caller: &Caller, form: PlanForm) -> Result<Plan, AppError> {
    let limits = in_form("plan", limits(&form.limits))?;
    let price = NewPrice { per_1000: form.per_1000, currency: form.currency };
    let entitlements = form.entitlements.lines().map(str::to_owned).collect();
    let new = NewPlan { slug: form.slug, name: form.name, description: form.description, entitlements, grants: Vec::new(), price: Some(price), limits };
    in_form("plan", describing::create_plan(ctx, caller, new).await)
}

/// Its limits stand in a form of their own (`set_limit`), and stay. `seen` is the state that the form showed.
pub async fn save(ctx: &Ctx, caller: &Caller, form: PlanForm, seen: Option<String>) -> Result<Plan, AppError> {
    let edit = PlanEdit {
        name: Some(form.name),
        description: Some(form.description),
        entitlements: Some(form.entitlements.lines().map(str::to_owned).collect()),
        price: Some(Some(NewPrice { per_1000: form.per_1000, currency: form.currency })),
        seen,
        ..PlanEdit::default()
    };
    in_form("plan", describing::edit_plan(ctx, caller, &form.slug, edit).await)
}

/// One limit of a plan is set or taken away; what was done in words.
pub async fn set_limit(ctx: &Ctx, caller: &Caller, slug: &str, typed: &TypedLimit) -> Result<&'static str, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let change = typed.read()?;
    let words = change.done_words();
    describing::edit_plan(ctx, caller, slug, PlanEdit { limit: Some(change), ..PlanEdit::default() }).await?;
    Ok(words)
}

/// What a plan grants becomes this.
pub async fn set_grants(ctx: &Ctx, caller: &Caller, slug: &str, grants: Vec<String>) -> Result<Plan, AppError> {
    describing::edit_plan(ctx, caller, slug, PlanEdit { grants: Some(grants), ..PlanEdit::default() }).await
}

/// The limits that were typed: of each window, of credits, and of calls at the same time.
pub(super) fn limits(form: &NewLimits) -> Result<Vec<KeyLimit>, AppError> {
    let mut limits: Vec<KeyLimit> = Vec::new();
    let mut fields = Fields::default();
    let over = OverForm { over: &form.over, per_second: &form.over_per_second, until: &form.over_until }.read(&mut fields);
    if !["", NewLimits::CLOCK, NewLimits::ROLLING].contains(&form.counting.as_str()) {
        fields.add("counting", "Choose by the clock, or rolling.");
    }
    let unit = read_unit(&form.unit, &mut fields);
    for (window, field, typed) in form.windows() {
        let units = digits(typed.trim());
        if units.is_empty() {
            continue;
        }
        let read = units.parse::<u64>().ok().filter(|units| *units <= KeyLimit::MAX_CALLS);
        let limit = fields.check(field, read.ok_or("Write a whole number of units, at most 4,294,967,295. Empty: no limit."));
        limits.extend(limit.map(|limit| KeyLimit { unit, over, ..KeyLimit::new(field, limit, window) }));
    }
    limits.extend(credits(form, &mut fields).map(|limit| KeyLimit { over, ..limit }));
    limits.extend(together(form, &mut fields));
    fields.done()?;
    Ok(limits)
}

/// The limit of calls at the same time that was typed, if one was.
fn together(form: &NewLimits, fields: &mut Fields) -> Option<KeyLimit> {
    let (calls, lasts) = (digits(form.together.trim()), digits(form.lasts.trim()));
    if calls.is_empty() {
        if !lasts.is_empty() {
            fields.add("together", "Write how many calls go on at the same time, or clear for how many seconds one counts.");
        }
        return None;
    }
    let read = calls.parse::<u64>().ok().filter(|calls| *calls <= KeyLimit::MAX_AT_ONCE);
    let limit = fields.check("together", read.ok_or("Write a whole number of calls, at most 10,000. Empty: no limit."));
    let window = match lasts.as_str() {
        "" => Some(Window::CONCURRENT),
        seconds => {
            let read = seconds.parse().ok().and_then(|seconds| Window::concurrent(seconds).ok());
            fields.check("lasts", read.ok_or("Write a whole number of seconds, 1 to 3,600."))
        }
    };
    Some(KeyLimit::new("together", limit?, window?))
}

/// The limit of credits that was typed, with what comes back of them; none if the field is empty, or something is wrong. How many come back
/// is not dropped in silence.
fn credits(form: &NewLimits, fields: &mut Fields) -> Option<KeyLimit> {
    let (typed, back) = (digits(form.credits.trim()), digits(form.refill.trim()));
    if typed.is_empty() {
        if !back.is_empty() {
            fields.add("credits", "Write how many credits there are at most, or clear how many come back.");
        }
        return None;
    }
    let read = typed.parse::<u64>().ok().filter(|units| *units <= KeyLimit::MAX_CALLS);
    let limit = fields.check("credits", read.ok_or("Write a whole number of credits, at most 4,294,967,295. Empty: no limit."));
    let window = match form.every.trim() {
        // "Never" is what the form begins with: who typed how many come back meant something else.
        "" if back.is_empty() => Some(Window::Credits(Refill::PREPAID)),
        "" => fields.check("every", Err("Choose how often credits come back, or clear how many do.")),
        every => {
            let units = back.parse::<u32>().ok().filter(|units| *units > 0);
            let units = fields.check("refill", units.ok_or("Write how many credits come back each time: 1 to 4,294,967,295."));
            let seconds = fields.check("every", every.parse::<u32>().map_err(|_| "Choose how often credits come back."));
            units.zip(seconds).and_then(|(units, seconds)| fields.check("every", Window::credits(units, seconds)))
        }
    };
    Some(KeyLimit::new("credits", limit?, window?))
}

/// The fields of a form stand in `plan[…]`, those of a group in `group[…]`; what an operation says of one belongs beside it.
pub(super) fn in_form<T>(form: &str, done: Result<T, AppError>) -> Result<T, AppError> {
    done.map_err(|error| match error {
        AppError::Invalid { fields } => {
            let moved = |f: FieldError| {
                let name = f.field.strip_prefix("price.").unwrap_or(&f.field);
                FieldError { field: if name.is_empty() { String::new() } else { format!("{form}[{name}]") }, message: f.message }
            };
            AppError::Invalid { fields: fields.into_iter().map(moved).collect() }
        }
        other => other,
    })
}

/// Gives a plan to an account's workspace, a group, a workspace or a key; the answer is its name.
pub async fn assign(ctx: &Ctx, caller: &Caller, slug: &str, to: &str) -> Result<String, AppError> {
    describing::find_plan(ctx, caller, slug).await?;
    let to = to.trim();
    let nobody = || AppError::invalid("to", "Nobody has this email or id. Write an account's email, a group's slug, or the id of a workspace or a key.");
    put(ctx, caller, &whom(ctx, caller, to).await?.ok_or_else(nobody)?, Some(slug)).await.map_err(|error| match error {
        AppError::NotFound => nobody(),
        other => other,
    })
}

/// Takes the plan of a group, a workspace or a key away; the answer is its name.
pub async fn take(ctx: &Ctx, caller: &Caller, from: &str) -> Result<String, AppError> {
    let whom = whom(ctx, caller, from.trim()).await?.ok_or(AppError::NotFound)?;
    put(ctx, caller, &whom, None).await
}

enum Whom {
    /// By its slug.
    Group(String),
    Workspace(WorkspaceId),
    Key(KeyId),
}

async fn whom(ctx: &Ctx, caller: &Caller, text: &str) -> Result<Option<Whom>, AppError> {
    if let Ok(id) = text.parse::<KeyId>() {
        return Ok(Some(Whom::Key(id)));
    }
    if let Ok(id) = text.parse::<GroupId>() {
        return Ok(store::groups::find_slug(&ctx.db, id).await?.map(Whom::Group));
    }
    match text.parse::<Slug>() {
        Ok(slug) => Ok(Some(Whom::Group(slug.into()))),
        Err(_) => Ok(workspace(ctx, caller, text).await?.map(Whom::Workspace)),
    }
}

/// The workspace of this id, or the one of the account with this email or id.
pub(super) async fn workspace(ctx: &Ctx, caller: &Caller, text: &str) -> Result<Option<WorkspaceId>, AppError> {
    match text.parse::<WorkspaceId>() {
        Ok(id) => Ok(Some(id)),
        Err(_) => workspace_of_account(ctx, caller, text).await,
    }
}

/// The personal workspace of the account with this email or id.
pub async fn workspace_of_account(ctx: &Ctx, caller: &Caller, text: &str) -> Result<Option<WorkspaceId>, AppError> {
    let text = text.trim();
    let found = match (text.parse::<AccountId>(), text.parse::<Email>()) {
        (Ok(id), _) => find_account(ctx, caller, id).await,
        (_, Ok(email)) => find_account_by_email(ctx, caller, &email).await,
        _ => return Ok(None),
    };
    match found {
        Ok(account) => Ok(account.workspace),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn put(ctx: &Ctx, caller: &Caller, whom: &Whom, plan: Option<&str>) -> Result<String, AppError> {
    match whom {
        Whom::Group(slug) => {
            let edit = GroupEdit { plan: Some(plan.map(str::to_owned)), ..GroupEdit::default() };
            Ok(groups::edit_group(ctx, caller, slug, edit).await?.name)
        }
        Whom::Workspace(id) => Ok(assigning::assign_plan(ctx, caller, *id, plan).await?.name),
        Whom::Key(id) => {
            let edit = KeyEdit { plan: Some(plan.map(str::to_owned)), ..KeyEdit::default() };
            Ok(edit_key(ctx, caller, *id, edit).await?.key.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::Over;

    fn limit(name: &str, limit: u64, window: Window) -> KeyLimit {
        KeyLimit::new(name, limit, window)
    }

    #[test]
    fn one_choice_holds_for_every_window_of_the_form() {
        let overs = |form: NewLimits| limits(&form).map(|l| l.iter().map(|l| l.over).collect::<Vec<_>>());
        let form = NewLimits { minute: "100".into(), day: "9".into(), ..NewLimits::default() };
        assert_eq!(overs(form.clone()).ok(), Some(vec![Over::REFUSE; 2]));
        let until = Over::end("2027-01-31").ok();
        let marked = NewLimits { over: "mark".into(), over_until: "2027-01-31".into(), ..form.clone() };
        assert_eq!(overs(marked).ok(), Some(vec![Over { until, ..Over::MARK }; 2]));
        for (over, per_second, until, wrong) in
            [("throttle", "", "", "over_per_second"), ("throttle", "0", "", "over_per_second"), ("mark", "", "soon", "over_until"), ("allow", "", "", "over")]
        {
            let form = NewLimits { over: over.into(), over_per_second: per_second.into(), over_until: until.into(), ..form.clone() };
            assert!(overs(form).is_err_and(|e| e.field(wrong).is_some()), "{over} {per_second} {until}");
        }
    }

    #[test]
    fn a_form_has_one_limit_of_credits() {
        let typed = |credits: &str, refill: &str, every: &str| {
            limits(&NewLimits { credits: credits.into(), refill: refill.into(), every: every.into(), over: "mark".into(), ..NewLimits::default() })
        };
        let credits = |units: u64, text: &str| vec![KeyLimit { over: Over::MARK, ..limit("credits", units, text.parse().expect("credits")) }];
        assert_eq!(typed("500", "20", "600").ok(), Some(credits(500, "credits:20/600")), "they are marked as the windows are");
        assert_eq!(typed("1,000", "", "").ok(), Some(credits(1_000, "credits")));
        for (credits, refill, every, wrong) in [
            ("many", "1", "60", "credits"),
            ("5", "", "60", "refill"),
            ("5", "0", "60", "refill"),
            ("5", "1", "often", "every"),
            ("5", "1", "0", "every"),
            ("5", "1", "", "every"),
            ("", "1", "60", "credits"),
        ] {
            assert!(typed(credits, refill, every).is_err_and(|e| e.field(wrong).is_some()), "{credits} {refill} {every}");
        }
    }

    #[test]
    fn a_form_counts_by_the_clock_or_rolling() {
        let counted = |counting: &str| {
            let form = NewLimits { second: "3".into(), hour: "1,200".into(), month: "10 000".into(), counting: counting.into(), ..NewLimits::default() };
            limits(&form)
        };
        let of = |hour, month| vec![limit("second", 3, Window::SECOND), limit("hour", 1_200, hour), limit("month", 10_000, month)];
        assert_eq!(counted(NewLimits::CLOCK).ok(), Some(of(Window::HOUR, Window::Month)));
        assert_eq!(counted(NewLimits::ROLLING).ok(), Some(of(Window::Rolling(3_600), Window::Rolling(2_592_000))), "a second does not roll");
        assert!(counted("sideways").is_err_and(|e| e.field("counting").is_some()));
        assert!(limits(&NewLimits { day: "many".into(), ..NewLimits::default() }).is_err_and(|e| e.field("day").is_some()));
    }

    #[test]
    fn calls_at_the_same_time_have_two_fields() {
        let typed = |together: &str, lasts: &str| limits(&NewLimits { together: together.into(), lasts: lasts.into(), ..NewLimits::default() });
        assert_eq!(typed("5", "90").ok(), Some(vec![limit("together", 5, Window::Concurrent(90))]));
        assert_eq!(typed("1,000", "").ok(), Some(vec![limit("together", 1_000, Window::CONCURRENT)]));
        assert_eq!(typed("", "").ok(), Some(vec![]));
        for (together, lasts, wrong) in
            [("10001", "", "together"), ("many", "", "together"), ("", "60", "together"), ("5", "0", "lasts"), ("5", "3601", "lasts")]
        {
            assert!(typed(together, lasts).is_err_and(|e| e.field(wrong).is_some()), "{together} {lasts}");
        }
    }
}
