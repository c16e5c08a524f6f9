//! From the texts of the page's forms to the typed input of an operation.

use super::{assigning, describing, groups, store};
use crate::{
    accounts::{
        Caller,
        server::{find_account, find_account_by_email},
    },
    error::{AppError, FieldError, Fields},
    keys::{
        model::{KeyEdit, KeyLimit, Refill, Window},
        server::{
            edit_key,
            forms::{LimitForm, OverForm},
        },
    },
    plans::model::{GroupEdit, NewPlan, NewPrice, Plan, PlanEdit, PlanForm},
    platform::Ctx,
    values::{AccountId, Email, GroupId, KeyId, Slug, WorkspaceId, permission_names as may},
};

pub async fn create(ctx: &Ctx, caller: &Caller, form: PlanForm) -> Result<Plan, AppError> {
    let limits = in_form(limits(&form, &[]))?;
    let price = NewPrice { per_1000: form.per_1000, currency: form.currency };
    let entitlements = form.entitlements.lines().map(str::to_owned).collect();
    let new = NewPlan { slug: form.slug, name: form.name, description: form.description, entitlements, price: Some(price), limits };
    in_form(describing::create_plan(ctx, caller, new).await)
}

/// Its limits stand in a form of their own (`set_limit`), and stay.
pub async fn save(ctx: &Ctx, caller: &Caller, form: PlanForm) -> Result<Plan, AppError> {
    let edit = PlanEdit {
        name: Some(form.name),
        description: Some(form.description),
        entitlements: Some(form.entitlements.lines().map(str::to_owned).collect()),
        price: Some(Some(NewPrice { per_1000: form.per_1000, currency: form.currency })),
        ..PlanEdit::default()
    };
    in_form(describing::edit_plan(ctx, caller, &form.slug, edit).await)
}

/// One limit of a plan is set or taken away; what was done in words.
pub async fn set_limit(ctx: &Ctx, caller: &Caller, slug: &str, form: LimitForm<'_>) -> Result<&'static str, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let change = form.read()?;
    let words = change.done_words();
    describing::edit_plan(ctx, caller, slug, PlanEdit { limit: Some(change), ..PlanEdit::default() }).await?;
    Ok(words)
}

/// The limits that were typed, by window, and those that the form does not show. A limit keeps its name.
pub(super) fn limits(form: &PlanForm, before: &[KeyLimit]) -> Result<Vec<KeyLimit>, AppError> {
    let mut limits = PlanForm::others(before);
    let mut fields = Fields::default();
    let over =
        (form.over != PlanForm::KEEP).then(|| OverForm { over: &form.over, per_second: &form.over_per_second, until: &form.over_until }.read(&mut fields));
    if !["", PlanForm::CLOCK, PlanForm::ROLLING].contains(&form.counting.as_str()) {
        fields.add("counting", "Choose by the clock, or rolling.");
    }
    for (window, field, typed) in form.windows() {
        let digits: String = typed.trim().chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect();
        if digits.is_empty() {
            continue;
        }
        let read = digits.parse::<u64>().ok().filter(|calls| *calls <= KeyLimit::MAX_CALLS);
        let Some(limit) = fields.check(field, read.ok_or("Write a whole number of calls, at most 4,294,967,295. Empty: no limit.")) else { continue };
        let known = before.iter().find(|l| l.window == window && !limits.contains(l));
        let over = over.or(known.map(|l| l.over)).unwrap_or_default();
        limits.push(KeyLimit { over, ..KeyLimit::new(known.map_or(field, |l| l.name.as_str()), limit, window) });
    }
    if let Some((limit, window)) = credits(form, before, &mut fields) {
        let name = before.iter().find(|l| l.window.is_credits() && !limits.contains(l)).map_or("credits", |l| l.name.as_str());
        limits.push(KeyLimit::new(name, limit, window));
    }
    if let Some(limit) = together(form, before, &mut fields) {
        limits.push(limit);
    }
    fields.done()?;
    Ok(limits)
}

/// The limit of calls at the same time that was typed, if one was.
fn together(form: &PlanForm, before: &[KeyLimit], fields: &mut Fields) -> Option<KeyLimit> {
    let digits = |typed: &str| typed.trim().chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect::<String>();
    let (calls, lasts) = (digits(&form.together), digits(&form.lasts));
    if calls.is_empty() {
        if !lasts.is_empty() && form.lasts != PlanForm::of_limits(before).lasts {
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
    // The form does not say what becomes of calls beyond it: that stays.
    let known = before.iter().find(|l| l.window.is_concurrent());
    let name = known.map_or("together", |l| l.name.as_str());
    Some(KeyLimit { over: known.map(|l| l.over).unwrap_or_default(), ..KeyLimit::new(name, limit?, window?) })
}

/// How many credits, and what comes back of them; none if the field is empty, or something is wrong. Clearing the number takes them away;
/// how many come back, where that was typed anew, is not dropped with it.
fn credits(form: &PlanForm, before: &[KeyLimit], fields: &mut Fields) -> Option<(u64, Window)> {
    let digits = |typed: &str| typed.trim().chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect::<String>();
    let typed = digits(&form.credits);
    if typed.is_empty() {
        if !digits(&form.refill).is_empty() && form.refill != PlanForm::of_limits(before).refill {
            fields.add("credits", "Write how many credits there are at most, or clear how many come back.");
        }
        return None;
    }
    let read = typed.parse::<u64>().ok().filter(|units| *units <= KeyLimit::MAX_CALLS);
    let limit = fields.check("credits", read.ok_or("Write a whole number of credits, at most 4,294,967,295. Empty: no limit."));
    let every = form.every.trim();
    let window = if every.is_empty() {
        // "Never" is what the form begins with: who typed how many come back meant something else.
        let is_prepaid = digits(&form.refill).is_empty();
        fields.check("every", if is_prepaid { Ok(Window::Credits(Refill::PREPAID)) } else { Err("Choose how often credits come back, or clear how many do.") })
    } else {
        let units = digits(&form.refill).parse::<u32>().ok().filter(|units| *units > 0);
        let units = fields.check("refill", units.ok_or("Write how many credits come back each time: 1 to 4,294,967,295."));
        let seconds = fields.check("every", every.parse::<u32>().map_err(|_| "Choose how often credits come back."));
        units.zip(seconds).and_then(|(units, seconds)| fields.check("every", Window::credits(units, seconds)))
    };
    limit.zip(window)
}

/// The fields of the form stand in `plan[…]`; what an operation says of one belongs beside it.
fn in_form<T>(done: Result<T, AppError>) -> Result<T, AppError> {
    done.map_err(|error| match error {
        AppError::Invalid { fields } => {
            let moved = |f: FieldError| {
                let name = f.field.strip_prefix("price.").unwrap_or(&f.field);
                FieldError { field: if name.is_empty() { String::new() } else { format!("plan[{name}]") }, message: f.message }
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
    fn one_choice_holds_for_every_limit_of_the_form() {
        let throttled = Over::throttle(5).unwrap_or_default();
        let before = [KeyLimit { over: throttled, ..limit("burst", 100, Window::MINUTE) }, limit("day", 9, Window::DAY)];
        assert_eq!(PlanForm::over_of(&before), None, "they differ");
        let overs = |form: PlanForm| limits(&form, &before).map(|l| l.iter().map(|l| l.over).collect::<Vec<_>>());
        let form = PlanForm { minute: "100".into(), day: "9".into(), over: PlanForm::KEEP.into(), ..PlanForm::default() };
        assert_eq!(overs(form.clone()).ok(), Some(vec![throttled, Over::REFUSE]));
        let until = Over::end("2027-01-31").ok();
        let marked = PlanForm { over: "mark".into(), over_until: "2027-01-31".into(), ..form.clone() };
        assert_eq!(overs(marked).ok(), Some(vec![Over { until, ..Over::MARK }; 2]));
        for (over, per_second, until, wrong) in
            [("throttle", "", "", "over_per_second"), ("throttle", "0", "", "over_per_second"), ("mark", "", "soon", "over_until"), ("allow", "", "", "over")]
        {
            let form = PlanForm { over: over.into(), over_per_second: per_second.into(), over_until: until.into(), ..form.clone() };
            assert!(overs(form).is_err_and(|e| e.field(wrong).is_some()), "{over} {per_second} {until}");
        }
    }

    #[test]
    fn a_form_has_one_limit_of_credits() {
        let credits = |text: &str| text.parse::<Window>().expect("credits");
        let before = [limit("pack", 500, credits("credits:20/600")), limit("other", 9, credits("credits")), limit("hour", 100, Window::HOUR)];
        let marked = KeyLimit { over: Over::MARK, ..before[2].clone() };
        assert_eq!(PlanForm::over_of(&[before[0].clone(), marked]), Some(Over::MARK), "credits refuse anyway");
        let shown = PlanForm::of_limits(&before);
        assert_eq!([shown.credits.as_str(), &shown.refill, &shown.every], ["500", "20", "600"]);
        assert_eq!(PlanForm::others(&before), [before[1].clone()]);
        assert_eq!(limits(&shown, &before).ok(), Some(vec![before[1].clone(), before[2].clone(), before[0].clone()]));
        let prepaid = PlanForm { credits: "1,000".into(), refill: String::new(), every: String::new(), ..shown.clone() };
        assert_eq!(limits(&prepaid, &[]).ok().and_then(|l| l.last().cloned()), Some(limit("credits", 1_000, credits("credits"))));
        assert_eq!(limits(&PlanForm { credits: String::new(), ..shown.clone() }, &before).map(|l| l.len()).ok(), Some(2));
        for (credits, refill, every, wrong) in [
            ("many", "1", "60", "credits"),
            ("5", "", "60", "refill"),
            ("5", "0", "60", "refill"),
            ("5", "1", "often", "every"),
            ("5", "1", "0", "every"),
            ("5", "1", "", "every"),
            ("", "1", "60", "credits"),
        ] {
            let form = PlanForm { credits: credits.into(), refill: refill.into(), every: every.into(), ..PlanForm::default() };
            assert!(limits(&form, &[]).is_err_and(|e| e.field(wrong).is_some()), "{credits} {refill} {every}");
        }
    }

    #[test]
    fn a_form_counts_by_the_clock_or_rolling() {
        let before = [limit("hour", 100, Window::HOUR), limit("night", 7, Window::Rolling(28_800))];
        let shown = PlanForm::of_limits(&before);
        assert_eq!((shown.hour.as_str(), shown.counting.as_str()), ("100", PlanForm::CLOCK));
        let form = PlanForm { counting: PlanForm::ROLLING.into(), second: "3".into(), ..shown };
        let rolling = limits(&form, &before).expect("numbers");
        let expected = [before[1].clone(), limit("second", 3, Window::SECOND), limit("hour", 100, Window::Rolling(3_600))];
        assert_eq!(rolling, expected, "a second does not roll, and what has no field stays");
        let shown = PlanForm::of_limits(&rolling);
        assert_eq!((shown.second.as_str(), shown.hour.as_str(), shown.counting.as_str()), ("3", "100", PlanForm::ROLLING));
        let (both, mixed) = ([expected[2].clone(), limit("day", 9, Window::DAY)], PlanForm { counting: "sideways".into(), ..PlanForm::default() });
        assert_eq!(PlanForm::others(&both), [expected[2].clone()], "beside fixed ones the rolling ones are kept");
        assert!(limits(&mixed, &[]).is_err_and(|e| e.field("counting").is_some()));
    }

    #[test]
    fn calls_at_the_same_time_have_two_fields() {
        let before = [limit("open", 5, Window::Concurrent(90)), KeyLimit { over: Over::MARK, ..limit("day", 9, Window::DAY) }];
        let shown = PlanForm::of_limits(&before);
        assert_eq!((shown.together.as_str(), shown.lasts.as_str(), shown.over.as_str()), ("5", "90", "mark"));
        assert!(PlanForm::others(&before).is_empty());
        let saved = |form: PlanForm| limits(&form, &before).map(|l| l.into_iter().map(|l| (l.name, l.limit, l.window, l.over)).collect::<Vec<_>>());
        let marked = ("day".to_owned(), 9, Window::DAY, Over::MARK);
        let open = |limit, window| ("open".to_owned(), limit, window, Over::REFUSE);
        assert_eq!(saved(shown.clone()).ok(), Some(vec![marked.clone(), open(5, Window::Concurrent(90))]));
        assert_eq!(
            saved(PlanForm { together: "1,000".into(), lasts: String::new(), ..shown.clone() }).ok(),
            Some(vec![marked.clone(), open(1_000, Window::CONCURRENT)])
        );
        assert_eq!(saved(PlanForm { together: String::new(), ..shown.clone() }).ok(), Some(vec![marked]));
        for (together, lasts, wrong) in
            [("10001", "", "together"), ("many", "", "together"), ("", "60", "together"), ("5", "0", "lasts"), ("5", "3601", "lasts")]
        {
            let form = PlanForm { together: together.into(), lasts: lasts.into(), ..shown.clone() };
            assert!(saved(form).is_err_and(|e| e.field(wrong).is_some()), "{together} {lasts}");
        }
    }

    #[test]
    fn what_the_form_does_not_show_stays() {
        let before = [limit("burst", 100, Window::MINUTE), limit("odd", 7, Window::Seconds(90)), limit("second-burst", 200, Window::MINUTE)];
        let form = PlanForm { minute: "1,200".into(), month: "10 000".into(), ..PlanForm::default() };
        let mut kept = limits(&form, &before).expect("numbers");
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        let expected = [limit("burst", 1_200, Window::MINUTE), limit("month", 10_000, Window::Month), limit("odd", 7, Window::Seconds(90)), before[2].clone()];
        assert_eq!(kept, expected);
        assert!(limits(&PlanForm { day: "many".into(), ..PlanForm::default() }, &[]).is_err_and(|e| e.field("day").is_some()));
    }
}
