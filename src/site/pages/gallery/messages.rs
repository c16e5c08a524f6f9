//! What is said to people.

use crate::ui::*;
use leptos::prelude::*;

/// In the place of the picture of a made-up person.
const SAMPLE: &str = "/favicon.svg";

#[component]
pub fn Messages() -> impl IntoView {
    view! {
        <Section id="dialog" title="Dialog" lead="For a decision that must be made now. Focus goes in, and back.">
            <Dialog id="made" title="returns app has its key" gate=Gate::Passed inline=true lead=view! { "This is the only time you see it. Tollgate keeps a hash, not the key." }.into_any()>
                <DialogBody>
                    <Secret secret="ord_live_p9VdYw3LrT0kXn6HsQ2bZc8MfGa4Je2XQSEk"/>
                    <CodeBlock id="try-it" title="Try it with curl" wrap=true code="curl https://api.nordlicht.example/orders?limit=1 \\\n  -H \"Authorization: Bearer ord_live_p9VdYw3LrT0kXn6HsQ2bZc8MfGa4Je2XQSEk\""/>
                    <Facts>
                        <Fact term="Permissions"><span class="row"><CodeTag text="orders:read"/><CodeTag text="orders:write"/></span></Fact>
                        <Fact term="Limits">"120 a minute, from the plan Team"</Fact>
                        <Fact term="Expires">"never "<a href="#dialog">"set a date"</a></Fact>
                    </Facts>
                </DialogBody>
                <DialogFoot>
                    <span class="row muted"><GateGlyph position=Gate::Idle/>"Waiting for the first call"</span>
                    <div class="push"><CheckField label="I have stored it" name="stored"/></div>
                    <LinkButton href="#dialog">"Done"</LinkButton>
                </DialogFoot>
            </Dialog>
            <Dialog id="revoke" title="Revoke checkout service" inline=true close="#dialog" lead=view! { "2 programs used it today, 18,240 calls. Every later call is answered REVOKED." }.into_any()>
                <DialogBody><TextField label="Type checkout service to go on" name="typed" autocomplete="off"/></DialogBody>
                <DialogFoot><span class="push row"><LinkButton href="#dialog" look=Look::Quiet>"Cancel"</LinkButton><Button look=Look::Danger>"Revoke"</Button></span></DialogFoot>
            </Dialog>
        </Section>
        <Section id="toast" title="Toast" lead="Says what was done and offers the way back.">
            <ToastView toast=Toast { text: "load test is disabled".into(), undo: Some(Undo { action: "/fn/gallery".into(), fields: vec![] }) }/>
            <ToastView toast=Toast::new("Saved")/>
        </Section>
        <Section id="banner" title="Banner, note" lead="Banner: about the whole session. Note: about this place.">
            <div class="card overflow-hidden">
                <Banner look=BannerLook::Impersonation label="You are seeing Tollgate as somebody else" act=view! { <Button size=Size::Small>"Stop, back to her account"</Button> }.into_any()>
                    <b class="strong">"You see Tollgate as Ilse Brandt. "</b><span class="sub">"Read only; each page you open is recorded under your name."</span>
                </Banner>
                <Banner label="Step-up" act=view! { <Button size=Size::Small>"Prove again"</Button> }.into_any()>
                    <b class="strong">"You proved who you are 8 minutes ago. "</b><span class="muted">"Revoking works for 2 more minutes."</span>
                </Banner>
                <Banner look=BannerLook::Refused label="Outage" act=view! { <LinkButton href="#banner" size=Size::Small>"Try again"</LinkButton> }.into_any()>
                    <b class="strong">"The database can't be reached. "</b>"What you see may be old; calls are still verified."
                </Banner>
                <Banner look=BannerLook::Limited label="Quota" act=view! { <LinkButton href="#banner" size=Size::Small>"Compare plans"</LinkButton> }.into_any()>
                    <b class="strong">"The quota for November is used up on Friday. "</b>"Later calls are answered "<code>"QUOTA_EXCEEDED"</code>"."
                </Banner>
            </div>
            <Note gate=Gate::Passed><b class="strong">"Revoked on 3 of 3 nodes"</b>" in 12 ms, at 14:47:03."</Note>
            <Note gate=Gate::Limited><b class="strong">"Expires in 6 days. "</b>"Rotate it, or move the date."</Note>
            <Note gate=Gate::Refused><b class="strong">"Within a second: "</b>"3 sessions end and 4 keys are answered "<code>"BANNED"</code>"."</Note>
            <Note>"Shown in Stockholm time."</Note>
        </Section>
        <Section id="empty" title="Empty state" lead="Says what it is for, and does the next step right there.">
            <Empty title="No webhooks yet" text="Tollgate can tell your program when a key expires or a quota is used up.">
                <LinkButton href="#empty" look=Look::Primary>"Add a webhook"</LinkButton>
            </Empty>
            <Skeleton/>
            <div class="row"><Avatar name="Mara Lindqvist"/><Avatar name="Ilse Brandt" large=true/><Avatar name="Jon Abara" image=SAMPLE/><Avatar name="Jon Abara" image=SAMPLE large=true/></div>
        </Section>
    }
    .into_any()
}
