//! What forms may come to that are sent at the same time: code and order of each are two moments, between which others
//! may come.

use super::plain::{Answer, Form, Model, Step};

#[derive(Clone, PartialEq)]
enum Phase {
    Sent,
    Authorised,
    Answered,
}

/// Every state that a model can be in after these answers. Without answers, the first that there is.
pub(super) fn after(model: &Model, forms: &[Form], answers: Option<&[Answer]>) -> Vec<Model> {
    let mut open = vec![(model.clone(), vec![Phase::Sent; forms.len()])];
    let mut ends: Vec<Model> = Vec::new();
    let mut seen = open.clone();
    while let Some((model, phases)) = open.pop() {
        if phases.iter().all(|phase| *phase == Phase::Answered) {
            if !ends.contains(&model) {
                ends.push(model);
            }
            if answers.is_none() {
                break;
            }
            continue;
        }
        for (index, form) in forms.iter().enumerate().rev() {
            let answer = answers.map(|answers| &answers[index]);
            for (after, phase) in next(&model, form, &phases[index], answer, forms.len() > 1) {
                let mut phases = phases.clone();
                phases[index] = phase;
                let reached = (after, phases);
                if !seen.contains(&reached) {
                    seen.push(reached.clone());
                    open.push(reached);
                }
            }
        }
    }
    ends
}

fn next(
    model: &Model,
    form: &Form,
    phase: &Phase,
    answer: Option<&Answer>,
    beside_others: bool,
) -> Vec<(Model, Phase)> {
    match phase {
        Phase::Answered => Vec::new(),
        Phase::Authorised => model
            .carry_out(form, answer)
            .map(|after| (after, Phase::Answered))
            .into_iter()
            .collect(),
        Phase::Sent => model
            .authorise(form, beside_others)
            .into_iter()
            .filter_map(|(after, step)| match step {
                Step::Authorised => Some((after, Phase::Authorised)),
                Step::Answered(may_be) => answer
                    .is_none_or(|answer| may_be.contains(answer))
                    .then_some((after, Phase::Answered)),
            })
            .collect(),
    }
}
