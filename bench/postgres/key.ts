/** What FusionAuth would send in its header. */
export const key = 'a key of thirty-two characters .'
