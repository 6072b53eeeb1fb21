/**
 * Whether the beta belongs to a login. The API refuses the token of a login without it, so it is never left out unless
 * the API names it. https://github.com/openclaw/openclaw/issues/41444
 */
export const isLoginBeta = (beta: string): boolean => beta.startsWith('oauth-')
