/** For a flag that can be given more than once. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]
