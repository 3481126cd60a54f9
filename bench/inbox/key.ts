/** What FusionAuth would sign with. */
export const secret = 'a secret of thirty-two bytes ...'
