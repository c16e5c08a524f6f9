//! A person with a browser: cookies of its own, redirects followed by hand, forms sent as a browser sends them.

use super::TestApp;
use leptos::server_fn::ServerFn;
use tollgate::{
    accounts::{
        Caller, Via, api,
        server::{NewAccount, caller_of_account, create_account},
    },
    platform::session::{Ends, Kept, keep},
    values::AccountId,
};

/// A browser of its own; signed in, if it comes from `sign_in_as`.
pub struct Browser {
    pub http: reqwest::Client,
    pub base: String,
}

/// A signed-in person.
pub struct Person {
    pub browser: Browser,
    pub account: AccountId,
    pub email: String,
    pub name: String,
}

/// Every person of the tests has this password.
pub const PASSWORD: &str = "korallenriff im winter";

impl TestApp {
    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        self.browser_called("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    }

    /// A browser without cookies that says this of itself.
    pub fn browser_called(&self, agent: &str) -> Browser {
        let http = reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).user_agent(agent).build().unwrap();
        Browser { http, base: self.base.clone() }
    }

    /// A proven account with this role (`developer`, `operator`), made without a mail.
    pub async fn account(&self, email: &str, name: &str, role: &str) -> AccountId {
        let new = NewAccount { email: email.parse().unwrap(), name, password: Some(PASSWORD.into()), roles: &[role], is_verified: true, by: "test" };
        create_account(&self.ctx, &new).await.unwrap()
    }

    /// A person with this role, signed in through the real form. Each call makes another person.
    pub async fn sign_in_as(&self, role: &str) -> Person {
        let number = sqlx::query_scalar!(r#"select count(*) as "n!" from accounts"#).fetch_one(&self.ctx.db).await.unwrap();
        let (email, name) = (format!("{role}{number}@example.com"), format!("Vera {number}"));
        let account = self.account(&email, &name, role).await;
        let browser = self.browser();
        let answer = browser.sign_in(&email, PASSWORD).await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        Person { browser, account, email, name }
    }

    /// The caller that an account is in a browser which signed in just now.
    pub async fn caller_in_a_browser(&self, account: AccountId) -> Caller {
        let (id, now, day) = (self.ctx.new_id(), self.ctx.clock.now(), std::time::Duration::from_secs(86_400));
        let ends = Ends { idle: day, max: day };
        let new = Kept { id, account, device: "test", address: [127, 0, 0, 1].into(), now, ends };
        keep(&mut self.ctx.db.acquire().await.unwrap(), new).await.unwrap();
        caller_of_account(&self.ctx, account, Via::Session(id)).await.unwrap().unwrap()
    }
}

impl Browser {
    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.base)).header("accept", "text/html").header("sec-fetch-site", "same-origin").send().await.unwrap()
    }

    /// The text of a page that is there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        // Leptos leaves comments where text ends; a reader does not see them.
        answer.text().await.unwrap().replace("<!>", "")
    }

    /// Sends a form to its page: `browser.post::<api::SignIn>("/sign-in", &[…])`.
    pub async fn post<F: ServerFn>(&self, page: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let mut all = vec![("_fn", F::PATH)];
        all.extend_from_slice(fields);
        let request = self.http.post(format!("{}{page}", self.base)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
        request.form(&all).send().await.unwrap()
    }

    /// The same form with a file in the field `file`, as a browser sends it.
    pub async fn post_file<F: ServerFn>(&self, page: &str, fields: &[(&str, &str)], file: &[u8]) -> reqwest::Response {
        let mut body = Vec::new();
        for (name, value) in std::iter::once(&("_fn", F::PATH)).chain(fields) {
            body.extend_from_slice(format!("--gate\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes());
        }
        let head = "--gate\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list\"\r\nContent-Type: text/csv\r\n\r\n";
        body.extend_from_slice(&[head.as_bytes(), file, b"\r\n--gate--\r\n"].concat());
        let request = self.http.post(format!("{}{page}", self.base)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
        request.header("content-type", "multipart/form-data; boundary=gate").body(body).send().await.unwrap()
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> reqwest::Response {
        self.post::<api::SignIn>("/sign-in", &[("email", email), ("password", password)]).await
    }

    /// True if pages behind the sign-in open.
    pub async fn is_signed_in(&self) -> bool {
        self.get("/settings/sessions").await.status() != 303
    }
}

/// Where a redirect leads.
pub fn location(answer: &reqwest::Response) -> &str {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap()
}
