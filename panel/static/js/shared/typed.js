// What people have written in fields and not yet sent: nothing may take it away from them.

/** Its value is not the one that the page came with. */
export const isChanged = (field) =>
  field.matches("select")
    ? [...field.options].some((one) => one.selected !== one.defaultSelected)
    : field.value !== field.defaultValue;

/** Something was written in a field of this place that is kept nowhere else (drafts are). */
export const hasTyped = (place = document) =>
  [...place.querySelectorAll("input:not([type=hidden]):not([type=search]), textarea")].some(
    (field) => field.dataset.draft === undefined && isChanged(field),
  );
