//! 利用停止 and トークンの紛失・盗難 (rules B5, B7).

use super::*;

/// `GET /stop-use`
pub(in crate::bank_web) async fn stop_use(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &STOP_USE, "", &[])))
}

/// `POST /stop-use`
pub(in crate::bank_web) async fn enter_stop_use(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &STOP_USE, "/stop-use/confirm").await
}

fn stop_use_step<'a>(ask: &Ask) -> Step<'a> {
    Step {
        words: &STOP_USE,
        at: 1,
        action: "/stop-use/confirm".into(),
        blocks: vec![Block::Notice(Tone::Warn, ask.say("stop-use-warning"))],
        fields: Vec::new(),
        asks_code: true,
        waits: true,
        submit: "do-stop-use",
        danger: true,
    }
}

/// `GET /stop-use/confirm`
pub(in crate::bank_web) async fn stop_use_page(ask: Ask) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(Wizard::StopUse, STOP_USE.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    show(
        &ask,
        &visitor,
        OrderKind::StopUse,
        Some(Order::StopUse),
        &stop_use_step(&ask),
    )
    .await
}

/// `POST /stop-use/confirm`
pub(in crate::bank_web) async fn confirm_stop_use(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(Wizard::StopUse, STOP_USE.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = stop_use_step(&ask);
    Ok(
        match confirm(&ask, &visitor, OrderKind::StopUse, &form, None, &step).await? {
            Ok(key) => see(&format!("/stop-use/result/{key}")),
            Err(response) => response,
        },
    )
}

/// `GET /stop-use/result/{key}`
pub(in crate::bank_web) async fn stop_use_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &STOP_USE, &key, |ask, order| {
        matches!(order, Order::StopUse).then(|| (ask.say("done-stop-use"), Vec::new()))
    })
    .await
}

/// `GET /loss`
pub(in crate::bank_web) async fn loss(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &LOSS, "", &[])))
}

/// `POST /loss`
pub(in crate::bank_web) async fn enter_loss(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &LOSS, "/loss/confirm").await
}

fn loss_step<'a>(ask: &Ask, form: &Form, errors: &[(String, String)]) -> Step<'a> {
    let choices = vec![
        ("lost".to_owned(), ask.say("loss-lost")),
        ("stolen".to_owned(), ask.say("loss-stolen")),
    ];
    let reason = Field::new("reason", ask.say("loss-reason"), FieldKind::Radio(choices))
        .value(form.text("reason"))
        .error(errors);
    Step {
        words: &LOSS,
        at: 1,
        action: "/loss/confirm".into(),
        blocks: vec![Block::Notice(Tone::Warn, ask.say("loss-warning"))],
        fields: vec![reason],
        asks_code: false,
        waits: false,
        submit: "do-loss",
        danger: true,
    }
}

/// `GET /loss/confirm`
pub(in crate::bank_web) async fn loss_page(ask: Ask) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(Wizard::Loss, LOSS.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = loss_step(&ask, &Form::default(), &[]);
    show(&ask, &visitor, OrderKind::LossStop, None, &step).await
}

/// `POST /loss/confirm`
pub(in crate::bank_web) async fn confirm_loss(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(Wizard::Loss, LOSS.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let stolen = match form.text("reason") {
        "lost" => false,
        "stolen" => true,
        _ => {
            let error = ("reason".to_owned(), ask.say("loss-reason-missing"));
            return again(&ask, &visitor, &form, error, loss_step).await;
        }
    };
    let step = loss_step(&ask, &form, &[]);
    let order = Some(Order::LossStop { stolen });
    Ok(
        match confirm(&ask, &visitor, OrderKind::LossStop, &form, order, &step).await? {
            Ok(key) => see(&format!("/loss/result/{key}")),
            Err(response) => response,
        },
    )
}

/// `GET /loss/result/{key}`
pub(in crate::bank_web) async fn loss_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &LOSS, &key, |ask, order| {
        matches!(order, Order::LossStop { .. }).then(|| (ask.say("done-loss"), Vec::new()))
    })
    .await
}
