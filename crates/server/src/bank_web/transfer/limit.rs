//! 振込限度額変更 (rule B9).

use super::*;

/// `GET /limit`
pub(in crate::bank_web) async fn limit_page(In { ask, signed }: In) -> Result<Response, Failure> {
    let page = limit_form(&ask, &signed, &Form::default(), &[]);
    Ok(ask.page_for(&signed, &page))
}

fn limit_form(ask: &Ask, signed: &Signed, form: &Form, errors: &[(String, String)]) -> Page {
    let bank = &ask.web.bank;
    let overview = &signed.overview;
    let mut lines = vec![
        (ask.say("limit-now"), ask.yen(overview.limits.current)),
        (ask.say("limit-used"), ask.yen(overview.used)),
        (
            ask.say("limit-ceiling"),
            ask.yen(bank.settings().limits.ceiling),
        ),
    ];
    if let Some((amount, from)) = overview.limits.pending {
        let text = format!("{} ({})", ask.yen(amount), ask.day(from));
        lines.insert(1, (ask.say("limit-pending"), text));
    }
    let new = Field::new("to", ask.say("limit-new"), FieldKind::Digits)
        .hint(ask.say("amount-hint"))
        .value(form.text("to"))
        .error(errors);
    Page {
        title: ask.say("title-limit"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Summary(lines),
            Block::Text(ask.say("limit-text")),
            Block::Form(PageForm {
                action: "/limit".into(),
                fields: vec![new],
                submit: ask.say("do-next"),
                cancel: Some(("/top".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ],
        menu: "/limit",
        ..Page::default()
    }
}

/// `POST /limit`
pub(in crate::bank_web) async fn limit(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let mut errors = Errors::new();
    // A limit of nothing is a limit.
    let to = if form.text("to") == "0" {
        Some(Yen::ZERO)
    } else {
        amount(&ask, &form, "to", &mut errors)
    };
    if let Some(to) = to {
        match begin(&ask, &signed, Order::LimitChange { to: to.0 }).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => errors.push(("to".into(), ask.refusal(&refusal))),
        }
    }
    let page = limit_form(&ask, &signed, &form, &errors);
    Ok(ask.refused_for(&signed, &page))
}
