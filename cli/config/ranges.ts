import { z } from 'zod';

export const milliseconds = () => z.coerce.number().min(0).max(60_000);
export const count = (most: number) => z.coerce.number().int().min(1).max(most);
