//! Samples of refusals: of one's own workspace, page by page, beside exact counts.

use super::{DEMO, developer, key, operator, tally};
use crate::support::{T0, TestApp};
use sqlx::PgPool;
use std::sync::Arc;
use tollgate::{
    accounts::Caller,
    error::AppError,
    keys::server::meter::{Attempt, Batch, Refusal},
    usage::{
        model::RefusalQuery,
        server::{list_refusals, recent_refusals, unknown_attempts_today, write_batch},
    },
    values::{ApiId, KeyId, Outcome},
};

fn refusal(owner: Option<&Caller>, key: Option<KeyId>, code: Outcome, seconds_ago: i64) -> Refusal {
    Refusal {
        at_micros: (T0.unix_timestamp() - seconds_ago) * 1_000_000,
        key,
        workspace: owner.map(|o| o.workspace),
        api: Some(ApiId::new(DEMO)),
        code,
        route: Arc::from("GET /invoices"),
        address: "192.0.2.77".into(),
        request_id: format!("req{seconds_ago}"),
        detail: "<b>needs invoices:read</b>".into(),
    }
}

#[sqlx::test]
async fn samples_are_listed_page_by_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "Europe/Stockholm").await, developer(&app.ctx, "tom", "UTC").await);
    let k = key(&app.ctx, &mara, "ERP bridge").await;
    let mut samples: Vec<Refusal> =
        (0..120).map(|n| refusal(Some(&mara), Some(k), if n % 3 == 0 { Outcome::RateLimited } else { Outcome::Forbidden }, n / 2)).collect();
    samples.push(refusal(None, None, Outcome::Unknown, 5));
    let batch = Batch {
        counts: vec![
            tally(&mara, k, "GET /invoices", Outcome::Forbidden, T0.unix_timestamp() / 60, 412),
            tally(&mara, k, "GET /", Outcome::Valid, T0.unix_timestamp() / 60, 9),
        ],
        unknown: vec![Attempt { minute: T0.unix_timestamp() / 60, reason: Outcome::Unknown, address: "192.0.2.77".into(), count: 37 }],
        samples,
        ..Batch::default()
    };
    write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap();

    let mut seen = Vec::new();
    let mut query = RefusalQuery::default();
    loop {
        let page = list_refusals(&app.ctx, &mara, query.clone()).await.unwrap();
        assert_eq!(page.codes, [(Outcome::Forbidden, 412)], "exact, and only what did not pass");
        seen.extend(page.samples);
        let Some(older) = page.older else { break };
        query.before = Some(older);
    }
    assert_eq!(seen.len(), 120, "each once, the unknown one is nobody's");
    let ids: std::collections::HashSet<_> = seen.iter().map(|s| s.cursor.clone()).collect();
    assert_eq!(ids.len(), 120);
    assert!(seen.windows(2).all(|w| w[0].at >= w[1].at));
    assert_eq!((seen[0].time.as_str(), seen[0].key_name.as_deref()), ("13:00:00", Some("ERP bridge")));

    let limited = list_refusals(&app.ctx, &mara, RefusalQuery { code: Some("RATE_LIMITED".into()), key: Some(k.to_string()), before: None }).await.unwrap();
    assert_eq!(limited.samples.len(), 40);
    assert!(list_refusals(&app.ctx, &tom, RefusalQuery::default()).await.unwrap().samples.is_empty());
    assert!(list_refusals(&app.ctx, &tom, RefusalQuery { key: Some(k.to_string()), ..RefusalQuery::default() }).await.unwrap().samples.is_empty());
    for (query, name) in [
        (RefusalQuery { code: Some("NOPE".into()), ..RefusalQuery::default() }, "code"),
        (RefusalQuery { before: Some("1-2".into()), ..RefusalQuery::default() }, "before"),
        (RefusalQuery { key: Some("'".into()), ..RefusalQuery::default() }, "key"),
    ] {
        assert!(list_refusals(&app.ctx, &mara, query).await.unwrap_err().field(name).is_some());
    }

    let operator = operator(&app.ctx).await;
    let recent = recent_refusals(&app.ctx, &operator, 200).await.unwrap();
    assert_eq!(recent.len(), 121);
    assert!(recent.iter().any(|s| s.key.is_none() && s.code == Outcome::Unknown));
    assert_eq!(unknown_attempts_today(&app.ctx, &operator).await.unwrap(), [(Outcome::Unknown, 37)]);
    assert!(matches!(recent_refusals(&app.ctx, &mara, 10).await, Err(AppError::Forbidden { .. })));
    assert!(matches!(unknown_attempts_today(&app.ctx, &mara).await, Err(AppError::Forbidden { .. })));
}
