/**
 * What is left of a value that went through JSON: a Date is its text, functions are gone, a Map is an empty object.
 * (NaN and Infinity become null, which no type can say.)
 */
export type Jsonified<Value> = unknown extends Value
  ? Value
  : Value extends { toJSON(): infer Plain }
    ? Jsonified<Plain>
    : Value extends string | number | boolean | null | undefined | void
      ? Value
      : Value extends bigint | symbol | Callable
        ? never
        : Value extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
          ? Record<string, never>
          : Value extends readonly unknown[]
            ? { [Index in keyof Value]: Item<Value[Index]> }
            : { [Key in keyof Value as Kept<Key, Value[Key]>]: Jsonified<Value[Key]> }

type Callable = (...args: never[]) => unknown

type Kept<Key, Value> = Key extends symbol ? never : Value extends Callable ? never : Key

/** In a list, nothing is null. */
type Item<Value> = unknown extends Value
  ? Value
  : Jsonified<Exclude<Value, undefined>> | (undefined extends Value ? null : never)
