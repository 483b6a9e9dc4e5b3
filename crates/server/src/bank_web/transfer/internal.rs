//! 振替: between own accounts.

use super::*;

/// `GET /internal-transfer`
pub(in crate::bank_web) async fn internal_page(ask: Ask) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = internal_form(&ask, &signed, &Form::default(), &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn internal_form(
    ask: &Ask,
    signed: &Signed,
    form: &Form,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let Some(overview) = ask.web.bank.overview(&signed.visitor).await? else {
        return Err(Failure::NotFound);
    };
    let text = |name: &str, key: &str, kind: FieldKind| {
        Field::new(name, ask.say(key), kind)
            .value(form.text(name))
            .error(errors)
    };
    let accounts = ask.own_accounts(&overview.accounts);
    let mut into = accounts.clone();
    // The second account stands first where money goes into.
    into.rotate_left(usize::from(accounts.len() > 1));
    let blocks = if accounts.len() < 2 {
        vec![Block::Notice(Tone::Info, ask.say("internal-needs-two"))]
    } else {
        vec![
            Block::Errors(errors.to_vec()),
            Block::Form(PageForm {
                action: "/internal-transfer".into(),
                fields: vec![
                    text("from", "from-account", FieldKind::Select(accounts)),
                    text("to", "into-account", FieldKind::Select(into)),
                    text("amount", "amount", FieldKind::Digits).hint(ask.say("amount-hint")),
                ],
                submit: ask.say("do-next"),
                cancel: Some(("/top".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ]
    };
    Ok(Page {
        title: ask.say("title-internal"),
        blocks,
        menu: "/internal-transfer",
        ..Page::default()
    })
}

/// `POST /internal-transfer`
pub(in crate::bank_web) async fn internal(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let mut errors = Errors::new();
    let from = own_account(&ask, &form, "from", &mut errors);
    let to = own_account(&ask, &form, "to", &mut errors);
    let amount = amount(&ask, &form, "amount", &mut errors);
    if let (Some(from), Some(to), Some(amount)) = (from, to, amount) {
        let order = Order::InternalTransfer {
            from,
            to,
            amount: amount.0,
        };
        match begin(&ask, &signed, order).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => errors.push((String::new(), ask.refusal(&refusal))),
        }
    }
    let page = internal_form(&ask, &signed, &form, &errors).await?;
    Ok(ask.refused_for(&signed, &page))
}
