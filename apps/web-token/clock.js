// What the last word with the service taught about this device's clock (rule T6).

/** A clock that is off by more milliseconds than this is told to the customer. */
export const WARN_ABOVE = 10_000;

/**
 * `offset`: the service's clock less the device's, in milliseconds; positive where the device is slow.
 * `at`: when that was, by the service's clock, in milliseconds since 1970.
 * @typedef {{ offset: number, at: number }} Contact
 */

/**
 * Learns the offset from one question and answer: the service's clock is taken to have been read half-way
 * (RFC 5905 §8, with one server time). All in milliseconds since 1970.
 * @param {number} asked by the device's clock
 * @param {number} serviceTime
 * @param {number} answered by the device's clock
 * @returns {Contact}
 */
export function measure(asked, serviceTime, answered) {
  return { offset: Math.round(serviceTime - (asked + answered) / 2), at: serviceTime };
}

/**
 * The service's clock, for what the device's shows.
 * @param {Contact} contact
 * @param {number} deviceNow
 */
export function corrected(contact, deviceNow) {
  return deviceNow + contact.offset;
}

/**
 * Whether the customer should set the clock.
 * @param {Contact} contact
 */
export function isOff(contact) {
  return Math.abs(contact.offset) > WARN_ABOVE;
}

/**
 * Whether the clock was set back since the contact, so that the codes are surely wrong until the service is asked.
 * @param {Contact} contact
 * @param {number} deviceNow
 */
export function wasSetBack(contact, deviceNow) {
  return corrected(contact, deviceNow) - contact.at < -WARN_ABOVE;
}
