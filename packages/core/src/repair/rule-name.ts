/** The name without the argument: `drop-params` of `drop-params:temperature`. */
export const nameOfRule = (rule: string): string => rule.split(':', 1)[0] ?? rule
