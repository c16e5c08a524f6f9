//! The part of `/docs` about who may come in: bans, guessing, devices and sessions.

use leptos::prelude::*;

pub fn bans() -> impl IntoView {
    view! {
        <h2 id="bans">"Who may come in"</h2>
        <p>"An operator bans an account on its page, for a time, until a day, or until the ban is lifted. Its sessions end with it, its keys are answered "<code>"BANNED"</code>" on every node before the answer is there, and the person is told why, until when and whom to ask ("<code>"TOLLGATE_CONTACT"</code>"): by mail, and on signing in with the right password. A ban ends by the clock; nothing has to run for it."</p>
        <p>"Mail domains (with all below them), addresses and networks are banned on "<a href="/admin/bans">"Bans"</a>", or by "<code>"tollgate ban add spam.example --reason W --for 30d"</code>", or over REST ("<code>"/api/v1/bans"</code>", with a key that has "<code>"accounts:manage"</code>" and "<code>"admin:read"</code>"). From there nobody signs up, signs in or uses an account. A sign-up at a banned domain gets the same answer as any other, and no mail; who comes from a banned network reads why at once. Calls with keys are not touched by these, except that an account at a banned domain may not use Tollgate's own API. Nobody bans themself, nor the last operator who could come in. The widest network is a /8 of IPv4, a /16 of IPv6."</p>
        <p>"On "<a href="/admin/accounts">"Accounts"</a>" one act goes to many at once, those that are ticked or all that a search leaves, at most 1,000 a go: disable, enable, ban, lift bans, end sessions, send reset links. What will change is shown first; then it happens to all of them or to none, with a line in the history of each."</p>
        <p>"Guessing is slow: from the third wrong password in a row on, each try waits twice as long as the one before, at most 15 minutes, counted by the address that was typed, known or not, and by network (IPv6 by its /64). The ninth tells the owner by mail, with a link that ends the wait; so do a new password, an operator, and "<code>"tollgate account unlock"</code>". In a browser where the owner signed in before, tries are counted for that browser alone, so strangers who guess shut nobody out."</p>
        <p>"A sign-in from a browser that the account does not know is told by mail. Its link “This wasn't me” works for seven days, once, without signing in: every device is signed out, the password is taken away, and a link to set a new one is mailed. A browser stays known for 400 days after its last sign-in."</p>
        <p>"A session ends after 14 days without use ("<code>"TOLLGATE_SESSION_IDLE"</code>"), after 30 days in any case ("<code>"TOLLGATE_SESSION_MAX"</code>", at most 400: browsers keep no cookie for longer), and an account may have 20 at once ("<code>"TOLLGATE_SESSION_COUNT"</code>"): the newest wins, the oldest is signed out."</p>
    }
}
